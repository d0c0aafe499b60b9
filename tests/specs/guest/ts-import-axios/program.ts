import axios from "axios";
axios;
