/**
 * The script of a site's tag. It is the only thing that every page view pays for, so it stays under 2,500 bytes
 * (brotli, with its settings).
 */

import { start, type Config } from "./bubble";

/** Replaced by the edge with the site's configuration. */
declare const __BULLE_CONFIG__: Config;

// In a browser that is too old there is no bubble, and no error. The settings come last: what stands before them is the
// same for every site, and is compressed once.
if (document.adoptedStyleSheets) start(document.currentScript, __BULLE_CONFIG__);
