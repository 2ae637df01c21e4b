/** The texts of the parts, which the edge has in the visitor's language. */

import type { Panel } from "./parts";

/**
 * Fetches them once for a bubble; the same words are then had with `text("name")`. Names are those of `panel` in
 * edge/core/src/locales/en.json. The tag and the owner may have other words.
 *
 * @throws when they cannot be had; the next call tries again.
 */
export const texts = async (panel: Panel): Promise<(name: string, values?: Record<string, string>) => string> => {
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
