/** Feedback on an answer: sends the rating to the edge and asks the visitor for a comment. */

import { loadTexts } from "./i18n";
import type { Panel } from "./panel";

const CSS = `.comment{width:100%;max-width:94%;margin-top:-10px;padding:10px 12px;border:1px solid var(--line);border-radius:14px;font-size:14px}
.comment label{display:block;margin-bottom:6px}
.comment textarea{display:block;width:100%;min-height:64px;padding:8px 10px;border:1px solid var(--muted);border-radius:10px;background:var(--bg);resize:vertical}
.comment textarea:focus{border-color:var(--ink);box-shadow:0 0 0 1px var(--ink);outline:2px solid transparent!important}
.comment .answers{display:flex;flex-wrap:wrap;gap:8px;margin-top:8px}
.comment button{min-height:36px;padding:4px 14px;border:1px solid var(--line);border-radius:10px;font-weight:550}
.comment .yes{border-color:transparent;background:var(--accent);color:var(--on-accent)}
.comment .yes[aria-disabled=true]{opacity:.6;cursor:default}
.comment:has(>[role=status]:only-child){width:auto;padding:6px 12px;color:var(--muted)}
.comment [role=status]:empty{display:none}
.comment form+[role=status]{margin-top:6px;font-weight:550}
@media(pointer:coarse){.comment button{min-height:44px}}
@media(forced-colors:active){.comment button{border-color:ButtonText}}
`;

/** The detail of the widget's `feedback` event. */
interface Rated {
  message: string;
  rating: "up" | "down";
}

const shown = new WeakMap<Panel, HTMLElement>();

/** Sends a rating, and shows a comment form below the answer. */
export const feedback = async (panel: Panel, { message, rating }: Rated): Promise<void> => {
  const send = async (comment?: string) => {
    const body = JSON.stringify({ rating, comment });
    const { status } = await panel.call("POST", `/v1/messages/${message}/feedback`, body);
    return status >= 200 && status < 300;
  };
  const sent = send();
  // A rating that the edge did not take is withdrawn, so that the thumb shows what the edge has stored.
  void sent.then((isStored) => isStored || panel.handle()?.command("unrate", message));
  const anchor = panel.root.querySelector(`[data-v="${message}"]`)?.closest<HTMLElement>(".msg");
  const text = await loadTexts(panel).catch(() => undefined);
  if (!anchor?.isConnected || !text) return;
  const { make } = panel;
  if (!shown.has(panel)) panel.style(CSS);
  shown.get(panel)?.remove();

  const status = make("p", "", { role: "status" });
  const box = make("div", "comment", {}, status);
  shown.set(panel, box);
  // A sibling of the answer: the widget redraws the answer itself.
  anchor.after(box);
  const log = box.parentElement!;
  // The widget owns the log. When it removes the answer or this box, the form ends.
  const watcher = new MutationObserver(() => {
    if (box.isConnected && panel.root.querySelector(`[data-v="${message}"]`)) return;
    watcher.disconnect();
    box.remove();
  });
  watcher.observe(log, { childList: true });

  const opener = panel.root.activeElement;
  const end = (words: string) => {
    const hadFocus = box.contains(panel.root.activeElement);
    box.replaceChildren(status);
    status.textContent = words;
    if (!words) box.remove();
    if (!hadFocus) return;
    if (opener?.isConnected) (opener as HTMLElement).focus();
    else panel.root.querySelector<HTMLElement>(".log")?.focus();
  };
  const field = make("textarea", "", { rows: "2", maxlength: "1000", dir: "auto", id: "why" });
  const yes = make("button", "yes", { type: "submit" }, panel.bot.strings.send!);
  const no = make("button", "", { type: "button" }, text("dismiss"));
  const label = make("label", "", { for: "why" }, text(rating == "up" ? "why_good" : "why"));
  const form = make("form", "", {}, label, field, make("div", "answers", {}, yes, no));
  no.onclick = () => end("");
  form.onkeydown = (event) => {
    if (event.key != "Escape" || event.isComposing) return;
    event.stopPropagation();
    end("");
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (yes.ariaDisabled) return;
    yes.ariaDisabled = "true";
    const done = await send(field.value.trim() || undefined);
    yes.ariaDisabled = null;
    if (done) end(text("thanks"));
    else status.textContent = text("not_done");
  };
  box.prepend(form);
  // `scrollIntoView` would scroll the page around the bubble too.
  const hidden = box.getBoundingClientRect().bottom - log.getBoundingClientRect().bottom;
  if (hidden > 0) log.scrollTop += hidden;
  if (!(await sent) && form.isConnected) end(text("not_done"));
};
