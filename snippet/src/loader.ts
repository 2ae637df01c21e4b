/**
 * The script of a site's tag. Every page view downloads it and nothing else, so it stays under 2,600 bytes (brotli, with
 * its settings).
 */

import { start, type Config } from "./bubble";

/** Replaced by the edge with the site's configuration. */
declare const __BULLE_CONFIG__: Config;

// A browser without constructable style sheets gets no bubble and no error. The settings come last: the code before them
// is the same for every site, and is compressed once.
if (document.adoptedStyleSheets) start(document.currentScript, __BULLE_CONFIG__);
