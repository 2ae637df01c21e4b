import { start, type Config } from "./bubble";
declare const __BULLE_CONFIG__: Config;
start(document.currentScript, __BULLE_CONFIG__);
