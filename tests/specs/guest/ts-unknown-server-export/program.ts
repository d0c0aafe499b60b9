import { fils } from "servers";
fils;
