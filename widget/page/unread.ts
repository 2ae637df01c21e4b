/** A reply that nobody sees: counted on the launcher, and told by a sound where the owner and the visitor want that. */

import type { Panel } from "./parts";
import { plural } from "./plural";
import { isQuiet } from "./quiet";

const CSS = `[data-unread]:after{content:attr(data-unread);box-sizing:border-box;position:absolute;top:-4px;inset-inline-end:-4px;min-width:24px;padding:0 7px;border:2px solid var(--bg);border-radius:14px;background:var(--text);color:var(--bg);font:650 12px/20px system-ui,sans-serif;text-align:center;font-variant-numeric:tabular-nums}
@media(forced-colors:active){[data-unread]:after{border-color:ButtonText}}
`;

/** What the launchers count, and what their names say of it. */
const marked = new WeakMap<HTMLElement, { count: number; said: string }>();
let audio: AudioContext | undefined;

/** Counts one more. */
export const unread = (panel: Panel): void => {
  const { frame, bot, root } = panel;
  if (bot.features?.sound && !isQuiet(panel)) tone();
  if (isOpen(frame)) return;
  const count = (marked.get(frame)?.count ?? 0) + 1;
  const words = plural(bot.strings.unread ?? "{n}", count, bot.locale);
  mark(panel, count, words, bot.locale);
  // For a page around this one, whose launcher is the one that is seen: snippet/src/hosted.ts.
  root.host.dispatchEvent(new CustomEvent("bulle-unread", { detail: [count, words, bot.locale] }));
};

/** Shows a count on the launcher until the panel opens; `words` stand in its name. */
export const mark = ({ frame, style }: Pick<Panel, "frame" | "style">, count: number, words: string, locale: string): void => {
  if (isOpen(frame)) return;
  const launcher = frame.querySelector<HTMLElement>(".launcher")!;
  if (!marked.has(frame)) {
    style(CSS);
    // The loader names the launcher anew when it opens.
    new MutationObserver(() => {
      if (!isOpen(frame)) return;
      marked.set(frame, { count: 0, said: "" });
      delete launcher.dataset.unread;
    }).observe(frame, { attributeFilter: ["class"] });
  }
  const name = launcher.getAttribute("aria-label")!.replace(marked.get(frame)?.said ?? "", "");
  const said = ` (${words})`;
  marked.set(frame, { count, said });
  launcher.setAttribute("aria-label", name + said);
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
