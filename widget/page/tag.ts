/**
 * The attributes of a tag that its script could not see. An optimiser may run the script in another way than the browser
 * would: by `eval`, as a module or in a bundle, where there is no current script; or from a copy of the tag that lacks the
 * attributes, while the tag stays in the page under another `type`, with its address in `data-src` or the like. The loader
 * looks for a tag with its address as `src`; here, on the visitor's interest, every script element that names it counts.
 */

import type { Config } from "../../snippet/src/bubble";

/** The attributes of the site's tags that have not been applied, by their names in `dataset`. */
export const missedAttributes = ([, texts, , site, name, , settings]: Config, look: Record<string, unknown>): Record<string, string> => {
  const defaults: Record<string, unknown> = { name, scheme: "auto", label: "", ...texts, ...settings, identity: 0 };
  const tags = [...document.scripts].filter((script) => (script.cloneNode() as Element).outerHTML.includes(`/s/${site}.`));
  const attributes = tags.flatMap((tag) => Object.entries(tag.dataset as Record<string, string>));
  return Object.fromEntries(attributes.filter(([name]) => look[name] == defaults[name]));
};
