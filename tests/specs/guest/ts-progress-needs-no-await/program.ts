import { progress } from "tta";

progress("one");
1;
