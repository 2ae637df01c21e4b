/** The texts of the lazily loaded features, which the edge serves in the visitor's language. */

import type { Panel } from "./panel";

/** Returns a text by its name, with `{name}` replaced by `values.name`. */
export type Translate = (name: string, values?: Record<string, string>) => string;

/**
 * Fetches the texts once for a bubble. The names are those of `panel` in protocol/locales/en.json. Texts of the tag
 * come first, then the owner's, then the edge's.
 *
 * @throws when the texts cannot be fetched; the next call tries again.
 */
export const loadTexts = async (panel: Panel): Promise<Translate> => {
  panel.texts ??= fetch(`${panel.edge}/v1/strings/${panel.bot.locale}`).then(async (answer) =>
    answer.ok ? (await answer.json()).strings : Promise.reject(answer),
  );
  try {
    const strings = await panel.texts;
    const { bot } = panel;
    return (name, values = {}) => (bot.strings[name] ?? bot.sheets?.[name] ?? strings[name] ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  } catch (error) {
    panel.texts = undefined;
    throw error;
  }
};
