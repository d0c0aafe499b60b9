import * as echo from "echo";
echo;
