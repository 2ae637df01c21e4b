/** A reply that nobody sees: counted on the launcher, and told by a sound where the owner and the visitor want that. */

import type { Panel } from "./parts";
import { plural } from "./plural";
import { isQuiet } from "./quiet";

const CSS = `[data-unread]:after{content:attr(data-unread);position:absolute;top:-4px;inset-inline-end:-4px;min-width:24px;padding:0 7px;border:2px solid var(--bg);border-radius:14px;background:var(--text);color:var(--bg);font:650 12px/20px system-ui,sans-serif;text-align:center;font-variant-numeric:tabular-nums}
@media(forced-colors:active){[data-unread]:after{border-color:ButtonText}}
`;

const counts = new WeakMap<Panel, number>();
let audio: AudioContext | undefined;

/** Counts one more. */
export const unread = (panel: Panel): void => {
  const { frame, bot } = panel;
  if (bot.features?.sound && !isQuiet(panel)) tone();
  if (isOpen(panel)) return;
  const launcher = frame.querySelector<HTMLElement>(".launcher")!;
  if (!counts.has(panel)) {
    panel.style(CSS);
    // The loader names the launcher anew when it opens.
    new MutationObserver(() => {
      if (!isOpen(panel)) return;
      counts.set(panel, 0);
      delete launcher.dataset.unread;
    }).observe(frame, { attributeFilter: ["class"] });
  }
  const before = counts.get(panel) ?? 0;
  const n = before + 1;
  counts.set(panel, n);
  let name = launcher.getAttribute("aria-label")!;
  if (before) name = name.replace(said(before, panel), "");
  launcher.setAttribute("aria-label", name + said(n, panel));
  launcher.dataset.unread = n > 9 ? "9+" : new Intl.NumberFormat(bot.locale).format(n);
};

const isOpen = ({ frame }: Panel) => frame.classList.contains("open");

const said = (n: number, { bot }: Panel) => ` (${plural(bot.strings.unread ?? "{n}", n, bot.locale)})`;

/** Two soft notes, a third of a second. Silent where the browser allows no sound. */
const tone = () => {
  try {
    audio ??= new AudioContext();
    void audio.resume();
    const { currentTime: now, destination } = audio;
    for (const [at, hertz] of [
      [0, 660],
      [0.12, 880],
    ] as const) {
      const note = audio.createOscillator();
      const gain = audio.createGain();
      note.frequency.value = hertz;
      gain.gain.setValueAtTime(0, now + at);
      gain.gain.linearRampToValueAtTime(0.08, now + at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, now + at + 0.2);
      note.connect(gain).connect(destination);
      note.start(now + at);
      note.stop(now + at + 0.2);
    }
  } catch {}
};
