/** Unread replies: counts them on the launcher, and plays a sound if the owner has enabled it and the visitor has not muted it. */

import { isMuted } from "./mute";
import type { Panel } from "./panel";
import { plural } from "./plural";

const CSS = `[data-unread]:after{content:attr(data-unread);box-sizing:border-box;position:absolute;top:-4px;inset-inline-end:-4px;min-width:24px;padding:0 7px;border:2px solid var(--bg);border-radius:14px;background:var(--text);color:var(--bg);font:650 12px/20px system-ui,sans-serif;text-align:center;font-variant-numeric:tabular-nums}
@media(forced-colors:active){[data-unread]:after{border-color:ButtonText}}
`;

/** By frame: the count on its launcher, and what it adds to the accessible name of the launcher. */
const marked = new WeakMap<HTMLElement, { count: number; suffix: string }>();
let audio: AudioContext | undefined;

/** Counts one more unread reply. */
export const unread = (panel: Panel): void => {
  const { frame, bot, root } = panel;
  if (bot.features?.sound && !isMuted(panel)) tone();
  if (isOpen(frame)) return;
  const count = (marked.get(frame)?.count ?? 0) + 1;
  const words = plural(bot.strings.unread ?? "{n}", count, bot.locale);
  mark(panel, count, words, bot.locale);
  // In a frame, the visible launcher is that of the page around it: snippet/src/hosted.ts passes the count on.
  root.host.dispatchEvent(new CustomEvent("bulle-unread", { detail: [count, words, bot.locale] }));
};

/** Shows a count on the launcher until the panel opens; `words` go into its accessible name. */
export const mark = ({ frame, style }: Pick<Panel, "frame" | "style">, count: number, words: string, locale: string): void => {
  if (isOpen(frame)) return;
  const launcher = frame.querySelector<HTMLElement>(".launcher")!;
  if (!marked.has(frame)) {
    style(CSS);
    // When the panel opens, the loader sets the name of the launcher again.
    new MutationObserver(() => {
      if (!isOpen(frame)) return;
      marked.set(frame, { count: 0, suffix: "" });
      delete launcher.dataset.unread;
    }).observe(frame, { attributeFilter: ["class"] });
  }
  const name = launcher.getAttribute("aria-label")!.replace(marked.get(frame)?.suffix ?? "", "");
  const suffix = ` (${words})`;
  marked.set(frame, { count, suffix });
  launcher.setAttribute("aria-label", name + suffix);
  launcher.dataset.unread = count > 9 ? "9+" : new Intl.NumberFormat(locale).format(count);
};

const isOpen = (frame: HTMLElement) => frame.classList.contains("open");

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
