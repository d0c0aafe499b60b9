import * as main from "sandbox/main";
main.load("tta");
