/** Speaking instead of writing: the browser hears, the words stand in the field until they are sent. */

import type { Panel } from "./parts";
import { texts } from "./texts";

/** The part of the Web Speech API that is used here; TypeScript's library does not have it. */
interface Recognition extends EventTarget {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  start(): void;
  stop(): void;
  abort(): void;
  onresult: (event: { results: ArrayLike<ArrayLike<{ transcript: string }> & { isFinal: boolean }> }) => void;
  onerror: (event: { error: string }) => void;
  onend: () => void;
}

const MIC = "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3";

const CSS = `.mic{display:grid;flex:none;place-items:center;width:36px;height:36px;border-radius:50%;color:var(--muted)}
.mic:hover{background:var(--line);color:var(--text)}
.mic .icon{width:20px;height:20px}
.hears{background:color-mix(in srgb,var(--danger) 14%,var(--bg));color:var(--danger);border-color:currentColor;animation:hears 1.2s infinite alternate}
@keyframes hears{to{background:color-mix(in srgb,var(--danger) 30%,var(--bg))}}
.micsaid{margin-bottom:6px;font-size:13px}
.micsaid:empty{display:none}
@media(pointer:coarse){.mic{width:44px;height:44px}}
@media(forced-colors:active){.hears{border:2px solid Mark}}
`;

/** Adds the button to the composer. */
export const dictate = async (panel: Panel): Promise<void> => {
  const { make, icon, body, bot } = panel;
  const page = window as unknown as Record<string, (new () => Recognition) | undefined>;
  const Recognizer = (page.SpeechRecognition ?? page.webkitSpeechRecognition)!;
  const text = await texts(panel);
  panel.style(CSS);
  const row = body.querySelector<HTMLElement>(".composer .field")!;
  const field = row.querySelector("textarea")!;
  const button = make("button", "mic", { type: "button" }, icon(MIC));
  const said = make("p", "micsaid", { role: "alert" });
  field.after(button);
  row.before(said);

  let running: Recognition | undefined;
  const draw = () => {
    const name = text(running ? "dictate_stop" : "dictate");
    button.ariaLabel = button.title = name;
    button.classList.toggle("hears", !!running);
  };
  const stop = () => running?.stop();

  const start = () => {
    said.textContent = "";
    const heard = (running = new Recognizer());
    heard.lang = bot.locale;
    heard.continuous = heard.interimResults = true;
    /** What stood there before what is heard, and how much was heard before the visitor changed it. */
    let before = field.value;
    let from = 0;
    let last = before;
    heard.onresult = ({ results }) => {
      if (heard != running) return;
      if (field.value != last) {
        // The visitor has sent it, or goes on by hand: what was heard so far is done with.
        before = field.value;
        from = Array.from(results).filter((result) => result.isFinal).length;
        last = before;
        if (!before) return stop();
      }
      const words = Array.from(results).slice(from).map((result) => result[0]!.transcript).join("");
      const gap = before && !/\s$/.test(before) && !/^\s/.test(words) ? " " : "";
      // Browsers normalise line ends.
      field.value = before + gap + words;
      last = field.value;
      field.dispatchEvent(new Event("input"));
      field.scrollTop = field.scrollHeight;
    };
    heard.onerror = ({ error }) => {
      if (error == "not-allowed" || error == "service-not-allowed") said.textContent = text("dictate_denied");
      else if (error != "no-speech" && error != "aborted") said.textContent = text("dictate_unavailable");
    };
    heard.onend = () => {
      if (heard == running) running = undefined;
      draw();
    };
    try {
      heard.start();
    } catch {
      running = undefined;
      said.textContent = text("dictate_unavailable");
    }
    draw();
  };
  button.onclick = () => {
    if (running) stop();
    else start();
  };
  panel.listeners.push((kind) => {
    if (kind != "message" && kind != "forget") return;
    running?.abort();
    said.textContent = "";
  });
  draw();
  // Nobody is heard who does not see it.
  const watcher = new MutationObserver(() => panel.frame.classList.contains("open") || running?.abort());
  watcher.observe(panel.frame, { attributeFilter: ["class"] });
  panel.signal.addEventListener("abort", () => running?.abort());
};
