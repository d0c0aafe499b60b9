const fs = await import("fs");
fs;
