import { ecco } from "servers/echo";
ecco({});
