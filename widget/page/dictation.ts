/** Dictation: the browser recognises speech, and the words are put into the text field until the visitor sends them. */

import { loadTexts } from "./i18n";
import type { Panel } from "./panel";

/** The part of the Web Speech API that is used here. TypeScript's library does not declare it. */
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

const CSS = `.mic{display:grid;flex:none;place-items:center;width:40px;height:40px;margin:4px 0;border-radius:50%;color:var(--muted)}
.mic:hover{background:var(--line);color:var(--text)}
.mic .icon{width:20px;height:20px}
.hears{background:color-mix(in srgb,var(--danger) 14%,var(--bg));color:var(--danger);border-color:currentColor;animation:hears 1.2s infinite alternate}
@keyframes hears{to{background:color-mix(in srgb,var(--danger) 30%,var(--bg))}}
.micsaid{margin-bottom:6px;font-size:13px}
.micsaid:empty{display:none}
@media(pointer:coarse){.mic{width:44px;height:44px;margin:2px 0}}
@media(forced-colors:active){.hears{border:2px solid Mark}}
`;

/** Adds the dictation button to the composer. */
export const dictation = async (panel: Panel): Promise<void> => {
  const { make, icon, body, bot } = panel;
  const page = window as unknown as Record<string, (new () => Recognition) | undefined>;
  const Recognizer = (page.SpeechRecognition ?? page.webkitSpeechRecognition)!;
  const text = await loadTexts(panel);
  panel.style(CSS);
  const row = body.querySelector<HTMLElement>(".composer .field")!;
  const field = row.querySelector("textarea")!;
  const button = make("button", "mic", { type: "button" }, icon(MIC));
  const alert = make("p", "micsaid", { role: "alert" });
  field.after(button);
  row.before(alert);

  let running: Recognition | undefined;
  const draw = () => {
    const name = text(running ? "dictate_stop" : "dictate");
    button.ariaLabel = button.title = name;
    button.classList.toggle("hears", !!running);
  };
  const stop = () => running?.stop();

  const start = () => {
    alert.textContent = "";
    const recognition = (running = new Recognizer());
    recognition.lang = bot.locale;
    recognition.continuous = recognition.interimResults = true;
    /** The text before the dictated words, and the number of results that are part of that text already. */
    let before = field.value;
    let from = 0;
    let last = before;
    recognition.onresult = ({ results }) => {
      if (recognition != running) return;
      if (field.value != last) {
        // The visitor has sent or edited the text: results that are final now stay in it and are not inserted again.
        before = field.value;
        from = Array.from(results).filter((result) => result.isFinal).length;
        last = before;
        if (!before) return stop();
      }
      const words = Array.from(results).slice(from).map((result) => result[0]!.transcript).join("");
      const gap = before && !/\s$/.test(before) && !/^\s/.test(words) ? " " : "";
      // Browsers normalise line ends, so the value is read back for the comparison above.
      field.value = before + gap + words;
      last = field.value;
      field.dispatchEvent(new Event("input"));
      field.scrollTop = field.scrollHeight;
    };
    recognition.onerror = ({ error }) => {
      if (error == "not-allowed" || error == "service-not-allowed") alert.textContent = text("dictate_denied");
      else if (error != "no-speech" && error != "aborted") alert.textContent = text("dictate_unavailable");
    };
    recognition.onend = () => {
      if (recognition == running) running = undefined;
      draw();
    };
    try {
      recognition.start();
    } catch {
      running = undefined;
      alert.textContent = text("dictate_unavailable");
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
    alert.textContent = "";
  });
  draw();
  // The microphone is off while the panel is closed, because the button that shows it is out of sight.
  const watcher = new MutationObserver(() => panel.frame.classList.contains("open") || running?.abort());
  watcher.observe(panel.frame, { attributeFilter: ["class"] });
  panel.signal.addEventListener("abort", () => running?.abort());
};
