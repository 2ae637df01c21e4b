// The edge's side of the rarely used parts, in front of the real edge: what is here is answered by the test, the rest
// goes through. Each is switched off by taking its line away.
import { readFileSync } from "node:fs";
import { ROOT } from "./edge.mjs";

/** The texts of the parts in English, or in another language. */
export const texts = (locale) => {
  const { panel } = JSON.parse(readFileSync(`${ROOT}/edge/core/src/locales/${locale}.json`, "utf8"));
  return panel;
};
