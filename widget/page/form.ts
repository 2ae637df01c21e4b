/** The owner's form before the first message, in the place of the composer. */

import { loadTexts } from "./i18n";
import type { Form, FormField, Panel } from "./panel";

type Input = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** The `autocomplete` value of a field, by common names that owners give to fields. */
const AUTOCOMPLETE: Record<string, string> = {
  name: "name",
  first_name: "given-name",
  last_name: "family-name",
  company: "organization",
  organization: "organization",
  job: "organization-title",
  street: "street-address",
  city: "address-level2",
  postcode: "postal-code",
  zip: "postal-code",
  country: "country-name",
  website: "url",
};

const CSS = `.body:has(>.form) .composer{display:none}
.form{flex:none;max-height:80%;overflow-y:auto;overscroll-behavior:contain;touch-action:pan-y;padding:14px 16px 0;scroll-padding-bottom:74px;border-top:1px solid var(--line);scrollbar-width:thin;scrollbar-color:var(--line) transparent;animation:form .24s cubic-bezier(.2,.9,.3,1)}
@keyframes form{from{opacity:0;transform:translateY(12px)}}
.form h3{font-size:16px}
.form h3+p{margin-top:2px;color:var(--muted);font-size:14px;white-space:pre-line}
.form .one{margin-top:12px}
.form label{display:block;font-size:14px;font-weight:550;overflow-wrap:anywhere}
.form .star{color:var(--danger)}
.form .in{display:block;width:100%;min-height:44px;max-height:none;margin-top:4px;padding:8px 12px;border:1px solid var(--muted);border-radius:12px;background:var(--bg);color:inherit;font:inherit;font-size:16px;resize:vertical}
.form .in:focus{border-color:var(--ink);box-shadow:0 0 0 1px var(--ink);outline:2px solid transparent!important}
.form [aria-invalid=true]{border-color:var(--danger)}
.form .check{display:flex;gap:10px;align-items:flex-start;font-weight:400;padding-block:4px}
.form .check input{flex:none;width:24px;height:24px;margin:0;accent-color:var(--ink)}
.form .error{margin-top:4px;color:var(--danger);font-size:13px;font-weight:550}
.form .error:empty{display:none}
.form .answers{position:sticky;bottom:0;display:flex;flex-wrap:wrap;gap:8px;margin:0 -16px;padding:14px 16px 16px;background:var(--bg)}
.form .answers button{min-height:44px;padding:8px 18px;border-radius:14px;border:1px solid var(--line);font-weight:550}
.form .answers .yes{flex:1;border-color:transparent;background:var(--accent);color:var(--on-accent)}
.form .answers .yes[aria-disabled=true]{opacity:.6;cursor:default}
@media(max-height:480px){.body:has(>.form){overflow-y:auto}.body:has(>.form) .middle{flex:none;max-height:60vh}.form{max-height:none}}
@media(forced-colors:active){.form .answers button{border-color:ButtonText}.form [aria-invalid=true]{outline:2px solid Mark}}
`;

const styled = new WeakSet<Panel>();

/**
 * Shows the form; `isAsked` when the visitor has asked for it, also later than before the first message. A suggested
 * question that the visitor picks meanwhile is asked once the form has been sent.
 */
export const form = async (panel: Panel, content: Form, isAsked?: unknown): Promise<void> => {
  const { make, body, root } = panel;
  const app = body;
  const composer = app.querySelector(".composer")!;
  const text = await loadTexts(panel);
  // This runs whenever the session is opened again: the form may be there already, or the visitor may have written meanwhile.
  const writes = app.querySelector(".mine") || composer.querySelector("textarea")!.value;
  if (app.querySelector(".form") || (!content.required && !isAsked && writes)) return;
  if (!styled.has(panel)) panel.style(CSS);
  styled.add(panel);

  let number = 0;
  const inputs: { field: FormField; input: Input; error: HTMLElement }[] = [];
  const add = (field: FormField, words: (Node | string)[] = [field.label]) => {
    const id = `ask-${++number}`;
    const attributes: Record<string, string> = { id, name: field.name, "aria-describedby": id + "-error" };
    if (field.required) attributes["aria-required"] = "true";
    const { kind } = field;
    const known = AUTOCOMPLETE[field.name] ?? (kind == "email" || kind == "tel" ? kind : undefined);
    if (known) attributes.autocomplete = known;
    let input: Input;
    if (kind == "select") {
      const options = ["", ...(field.options ?? [])].map((option) => make("option", "", { value: option }, option));
      input = make("select", "in", attributes, ...options);
    } else if (kind == "textarea") {
      input = make("textarea", "in", { ...attributes, rows: "3", maxlength: "1000", dir: "auto" });
    } else if (kind == "checkbox") {
      input = make("input", "", { ...attributes, type: "checkbox" });
    } else {
      input = make("input", "in", { ...attributes, type: kind, maxlength: "1000", dir: kind == "text" ? "auto" : "ltr" });
    }
    const star = field.required ? [make("span", "star", { "aria-hidden": "true" }, "\u00a0*")] : [];
    const label =
      kind == "checkbox"
        ? [make("label", "check", {}, input, make("span", "", {}, ...words, ...star))]
        : [make("label", "", { for: id }, ...words, ...star), input];
    const error = make("p", "error", { id: id + "-error" });
    inputs.push({ field, input, error });
    input.oninput = () => {
      if (error.textContent) showError(input, error, problem(field, input));
    };
    return make("div", "one", {}, ...label, error);
  };
  const showError = (input: Input, error: HTMLElement, words: string) => {
    error.textContent = words;
    input.setAttribute("aria-invalid", `${!!words}`);
  };
  /** Why a value is invalid. The rules are those of the edge's `FormField`, so the edge refuses a form only after a race. */
  const problem = ({ kind, required }: FormField, input: Input): string => {
    const value = valueOf(input).trim();
    const isEmpty = !value || value == "false";
    if (isEmpty) return required ? text(input.name == CONSENT ? "form_consent" : "form_required") : "";
    if (kind == "email" && !/^\S+@\S+$/.test(value)) return text("form_email");
    if (kind == "tel" && !/^(?=(.*\d){3})[\d +\-./()]+$/.test(value)) return text("form_tel") || text("form_required");
    return "";
  };

  const failed = make("p", "error", { role: "alert" });
  const send = make("button", "yes", { type: "submit" }, content.submit);
  const answers = make("div", "answers", {}, send);
  const rows = content.fields.map((field) => add(field));
  if (content.consent) {
    const field: FormField = { name: CONSENT, label: "", kind: "checkbox", required: true };
    rows.push(add(field, linked(panel, content.consent)));
  }
  const about = content.text ? [make("p", "", { dir: "auto" }, content.text)] : [];
  const title = make("h3", "", { id: "ask-title", dir: "auto" }, content.title);
  const shown = make("form", "form", { novalidate: "", "aria-labelledby": "ask-title" }, title, ...about, ...rows, failed, answers);

  /** A suggested question that was picked while the form was shown. */
  let pickedQuestion: string | undefined;
  const pick = (event: Event) => {
    const chip = (event.target as Element).closest<HTMLElement>("[data-do=ask]");
    if (!chip || !shown.isConnected) return;
    event.stopPropagation();
    pickedQuestion = chip.dataset.v;
    (inputs.find(({ field, input }) => problem(field, input))?.input ?? send).focus();
  };
  const done = () => {
    const hadFocus = !!shown.querySelector(":focus");
    app.removeEventListener("click", pick, true);
    shown.remove();
    if (hadFocus) body.querySelector<HTMLElement>("[data-first]")?.focus();
    if (pickedQuestion) panel.handle()?.command("ask", pickedQuestion);
  };
  if (!content.required) {
    const skip = make("button", "", { type: "button" }, text("dismiss"));
    skip.onclick = done;
    answers.append(skip);
  }
  shown.onsubmit = async (event) => {
    event.preventDefault();
    if (send.ariaDisabled) return;
    failed.textContent = "";
    for (const { field, input, error } of inputs) showError(input, error, problem(field, input));
    const invalid = inputs.find(({ error }) => error.textContent);
    if (invalid) return invalid.input.focus();
    const values = inputs.filter(({ input }) => input.name != CONSENT).map(({ input }) => [input.name, valueOf(input).trim()]);
    const fields = Object.fromEntries(values.filter(([, value]) => value));
    send.ariaDisabled = "true";
    const { status } = await panel.call("PUT", "/v1/me", JSON.stringify({ fields, consent: !!content.consent }));
    send.ariaDisabled = null;
    if (status < 200 || status >= 300) return void (failed.textContent = text("form_failed"));
    done();
    // A form that is filled in is offered no more: a line says that it was sent.
    delete panel.bot.form;
    for (const button of app.querySelectorAll("[data-form]")) button.replaceWith(make("p", "notice", { role: "status" }, text("form_sent")));
  };

  const hadFocus = composer.contains(root.activeElement);
  app.addEventListener("click", pick, true);
  composer.after(shown);
  // The widget observes the resize first and scrolls to the end of the list. A greeting is read from its beginning.
  const log = app.querySelector(".log")!;
  const resize = new ResizeObserver(() => {
    resize.disconnect();
    if (!app.querySelector(".mine")) log.scrollTop = 0;
  });
  resize.observe(log);
  if (hadFocus || isAsked) inputs[0]?.input.focus();
};

/** The name of the consent field. An owner's field cannot have it: their names are of a-z, 0-9 and _. */
const CONSENT = "-consent";

const valueOf = (input: Input) => (input instanceof HTMLInputElement && input.type == "checkbox" ? `${input.checked}` : input.value);

/** The text with its Markdown links and bare web addresses as links. */
const linked = ({ make, bot }: Panel, words: string): (Node | string)[] => {
  const link = /\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>\u3000-\u303f\uff00-\uff65]*[^\s<>.,;:!?)\u3000-\u303f\uff00-\uff65])/g;
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const match of words.matchAll(link)) {
    const [whole, name, url, bare] = match;
    const hint = make("span", "sr", {}, ` (${bot.strings.new_window})`);
    const href = url ?? bare!;
    parts.push(words.slice(at, match.index), make("a", "", { href, target: "_blank", rel: "noopener" }, name ?? href, hint));
    at = match.index! + whole.length;
  }
  return [...parts, words.slice(at)];
};
