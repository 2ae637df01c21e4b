/**
 * The script of the tag of a site whose owner has written notes that come first: the loader, and what shows them, so that
 * nothing more is fetched for them.
 */

import { start, type Config } from "./bubble";
import { notes } from "./proactive";

/** Replaced by the edge with the site's configuration. */
declare const __BULLE_CONFIG__: Config;

const config = __BULLE_CONFIG__;
if (document.adoptedStyleSheets) {
  start(document.currentScript, config);
  // Where nothing can be kept, nobody could know what the visitor has seen: there are no notes.
  try {
    notes(config[3], config[7]!, config[8]!);
  } catch {}
}
