/** Whether the visitor has turned the sound off. Kept with the rest, and so not before the first message. */

import type { Panel } from "./parts";

const chosen = new WeakMap<Panel, boolean>();
const key = (panel: Panel) => "bulle-quiet:" + panel.site;

export const isQuiet = (panel: Panel): boolean => {
  try {
    return chosen.get(panel) ?? !!localStorage[key(panel)];
  } catch {
    return false;
  }
};

export const setQuiet = (panel: Panel, quiet: boolean): void => {
  const waits = !chosen.has(panel);
  chosen.set(panel, quiet);
  const keep = () => {
    try {
      if (!localStorage["bulle:" + panel.site]) return;
      if (isQuiet(panel)) localStorage[key(panel)] = "1";
      else localStorage.removeItem(key(panel));
    } catch {}
  };
  keep();
  // There is a first message by the time of the first reply.
  if (waits) panel.listeners.push((kind) => kind == "reply" && keep());
};
