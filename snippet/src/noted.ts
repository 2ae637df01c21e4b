/**
 * The script of the tag of a site with proactive notes: the loader together with the code that shows the notes, so that
 * they need no further request.
 */

import { start, type Config } from "./bubble";
import { showNotes } from "./proactive";

/** Replaced by the edge with the site's configuration. */
declare const __BULLE_CONFIG__: Config;

const run = (config: Config) => {
  start(document.currentScript, config);
  // Without storage the notes would come back on every page, so they are not shown.
  try {
    showNotes(config[3], config[6]!, config[7]!);
  } catch {}
};
// The settings come last, as in loader.ts.
if (document.adoptedStyleSheets) run(__BULLE_CONFIG__);
