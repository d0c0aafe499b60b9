const fs = require("fs");
fs;
