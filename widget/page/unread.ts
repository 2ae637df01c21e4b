/** A reply that nobody sees: counted on the launcher, and told by a sound where the owner and the visitor want that. */

import type { Panel } from "./parts";
import { plural } from "./plural";
import { isQuiet } from "./quiet";

const CSS = `.unread{position:absolute;top:-4px;inset-inline-end:-4px;min-width:24px;padding:0 7px;border:2px solid var(--bg);border-radius:14px;background:var(--text);color:var(--bg);font:650 12px/20px system-ui,sans-serif;text-align:center;font-variant-numeric:tabular-nums}
@media(forced-colors:active){.unread{border-color:ButtonText}}
`;

interface Count {
  n: number;
  badge: HTMLElement;
}

const counts = new WeakMap<Panel, Count>();
let audio: AudioContext | undefined;

/** Counts one more. */
export const unread = (panel: Panel): void => {
  const { frame, bot } = panel;
  if (bot.features?.sound && !isQuiet(panel)) tone();
  if (isOpen(panel)) return;
  const launcher = frame.querySelector(".launcher")!;
  let count = counts.get(panel);
  if (!count) {
    panel.style(CSS);
    const made: Count = (count = { n: 0, badge: panel.make("span", "unread", { "aria-hidden": "true" }) });
    counts.set(panel, made);
    // The loader names the launcher anew when it opens.
    new MutationObserver(() => {
      if (!isOpen(panel)) return;
      made.n = 0;
      made.badge.remove();
    }).observe(frame, { attributeFilter: ["class"] });
  }
  const name = launcher.getAttribute("aria-label")!;
  const last = count.n ? said(count.n, panel) : "";
  count.n += 1;
  count.badge.textContent = count.n > 9 ? "9+" : new Intl.NumberFormat(bot.locale).format(count.n);
  launcher.setAttribute("aria-label", (last ? name.replace(last, "") : name) + said(count.n, panel));
  launcher.append(count.badge);
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
