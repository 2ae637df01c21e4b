/**
 * What an owner puts before the first message: the form and the shortcuts. Shortcuts that lead to a person, and the form,
 * also stand below an answer that does not answer.
 */

import type { Panel, Shortcut } from "./panel";

const ICONS: Record<Shortcut["kind"], string> = {
  ask: "M12 3c12 0 12 14 0 14l-6 4v-5C0 14 0 3 12 3",
  page: "M9 6H6a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-3M13 4h7v7M20 4 11 13",
  call: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  form: "M6 3h12v18H6zM9 8h6M9 12h6M9 16h3",
};

const CSS = `.shortcuts{display:grid;gap:8px;padding:0;list-style:none}
.shortcuts :is(a,button){display:flex;align-items:center;gap:12px;width:100%;min-height:44px;padding:8px 14px;border:1px solid var(--line);border-radius:14px;color:inherit;font-size:14px;font-weight:500;line-height:1.4;text-align:start;text-decoration:none}
.shortcuts :is(a,button):hover{border-color:var(--ink);background:color-mix(in srgb,var(--accent) 8%,var(--bg))}
.shortcuts .icon{flex:none;width:20px;height:20px;color:var(--ink)}
.log:has(.mine) .shortcuts:not(.reach),.log:not(:has(.mine)) .reach,.body:has(>.form) .shortcuts{display:none}
@media(forced-colors:active){.shortcuts :is(a,button){border-color:ButtonText}}
@media print{.inline .shortcuts{display:none}}
`;

/** The panels that have the style and the listener. */
const known = new WeakSet<Panel>();

/** Shows what the bot has; called whenever the session is opened. `isNew` when the visitor has no conversation yet. */
export const firstScreen = (panel: Panel, isNew: boolean): void => {
  const { make, icon, body, bot } = panel;
  const log = body.querySelector(".log")!;
  const remove = (selector: string) => body.querySelector(selector)?.remove();
  const openForm = (isAsked?: unknown) => {
    const logFailure = (error: unknown) => console.error("[Bulle]", error);
    if (panel.bot.form) import("./form").then((module) => module.form(panel, panel.bot.form!, isAsked)).catch(logFailure);
  };
  // A shortcut to the form opens it instead.
  const opensItself = isNew && !bot.shortcuts?.some(({ kind }) => kind == "form");
  if (bot.form && (bot.form.required || opensItself)) openForm();
  // A form of the visitor before may still stand there.
  else remove(".form");

  const list = (kind: string, shown: Shortcut[]) => {
    const items = shown.map(({ label, kind, value }) => {
      const words = make("span", "", { dir: "auto" }, label);
      if (kind == "ask" || kind == "form") {
        const button = make("button", "", { type: "button" }, icon(ICONS[kind]), words);
        // The widget handles the clicks on questions; form.ts replaces its buttons once the form is sent.
        if (kind == "ask") Object.assign(button.dataset, { do: "ask", v: value });
        else [button.onclick, button.dataset.form] = [openForm, ""];
        return button;
      }
      const link = make("a", "", { href: value }, icon(ICONS[kind]), words);
      if (kind == "page") {
        Object.assign(link, { target: "_blank", rel: "noopener" });
        link.append(make("span", "sr", {}, ` (${panel.bot.strings.new_window})`));
      }
      return link;
    });
    return make("ul", kind, { role: "list" }, ...items.map((item) => make("li", "", {}, item)));
  };

  remove(".shortcuts:not(.reach)");
  if (bot.shortcuts) log.firstElementChild?.after(list("shortcuts", bot.shortcuts));
  if (known.has(panel)) return;
  known.add(panel);
  panel.style(CSS);
  panel.listeners.push((kind, detail) => {
    if (kind == "message" || kind == "forget") remove(".reach");
    if (kind != "reply" || !JSON.parse(detail).unanswered) return;
    const { shortcuts = [], form } = panel.bot;
    const toPerson = shortcuts.filter(({ kind }) => kind == "call" || kind == "mail" || (kind == "form" && form));
    if (form && !toPerson.some(({ kind }) => kind == "form")) toPerson.push({ label: form.title, kind: "form", value: "" });
    // The answer is drawn after this event. The last element holds the suggested questions.
    if (toPerson.length > 0) setTimeout(() => log.lastElementChild?.before(list("shortcuts reach", toPerson)));
  });
};
