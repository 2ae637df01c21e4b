/** Whether the visitor has muted the bubble. Stored with the visitor's other data, and so not before the first message. */

import type { Panel } from "./panel";

const chosen = new WeakMap<Panel, boolean>();
const key = (panel: Panel) => "bulle-quiet:" + panel.site;

export const isMuted = (panel: Panel): boolean => {
  try {
    return chosen.get(panel) ?? !!localStorage[key(panel)];
  } catch {
    return false;
  }
};

export const setMuted = (panel: Panel, muted: boolean): void => {
  const isFirstChoice = !chosen.has(panel);
  chosen.set(panel, muted);
  const store = () => {
    try {
      // Nothing is stored before the widget stores the visitor.
      if (!localStorage["bulle:" + panel.site]) return;
      if (isMuted(panel)) localStorage[key(panel)] = "1";
      else localStorage.removeItem(key(panel));
    } catch {}
  };
  store();
  // By the time of the first reply there is a first message, so the visitor is stored.
  if (isFirstChoice) panel.listeners.push((kind) => kind == "reply" && store());
};
