/** What only few visitors want: when it is wanted, and what it gets to work with. */

import { icon, make } from "./dom";
import type { Handle } from "./bridge";
import type { Answer, Shell } from "./main";
import type { Form } from "./form";

/** What this side reads of `Bot` in protocol/src/session.rs. */
export interface Bot {
  name: string;
  locale: string;
  strings: Record<string, string>;
  sheets?: Record<string, string>;
  features?: Partial<Record<"attachments" | "dictation" | "feedback" | "sound" | "history" | "export", boolean>>;
  form?: Form;
  privacy_url?: string;
}

/** What a part gets. Whatever it uses of this is no copy of its own. */
export interface Panel {
  edge: string;
  site: string;
  /** What is said when something cannot be loaded, and on the button that tries again: in the loader, so always there. */
  unavailable: string;
  again: string;
  root: ShadowRoot;
  frame: HTMLElement;
  /** The panel below its header. */
  body: HTMLElement;
  bot: Bot;
  /** The visitor's id. */
  visitor?: string;
  /** Tells the visitor's other tabs that the edge has erased this visitor. */
  erased(visitor?: string): void;
  /** The conversation that the edge was last asked about. */
  current?: string;
  /** The texts of the parts; see texts.ts. */
  texts?: Promise<Record<string, string>>;
  handle(): Handle | undefined;
  /** Calls the edge as the visitor. */
  call(method: string, path: string, body?: string | Blob): Promise<Answer>;
  make: typeof make;
  icon: typeof icon;
  /** Adds to the style of the bubble. */
  style(css: string): void;
  /** Ends when the bubble is taken away. */
  signal: AbortSignal;
  /** Told of everything that the widget tells the page. */
  listeners: ((kind: string, detail: string) => void)[];
}

/** Languages that highlight.ts knows. */
const KNOWN =
  /^(jsx?|javascript|[cm]js|tsx?|typescript|py|python|rs|rust|go|java|c|h|cc|cpp|c\+\+|cs|csharp|c#|php|rb|ruby|(ba|z)?sh|shell|sql|jsonc?|ya?ml|html|xml|svg|s?css)$/i;

/** What could not be fetched is told to the site's owner, and fetched with the next wish. */
const lost = (error: unknown) => console.error("[Bulle]", error);

/** Watches what is wanted. `heard` takes what the edge has answered and gives it as the widget is to read it, `emit` what the widget tells. */
export const parts = (shell: Shell, handle: () => Handle | undefined, call: Panel["call"], erased: Panel["erased"]) => {
  const { root, body, tools } = shell;
  const [, , edge, site] = shell.config;
  const { textUnavailable: unavailable, textRetry: again } = shell.look;
  const { frame, signal } = shell;
  const listeners: Panel["listeners"] = [];
  const style = (css: string) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets.push(sheet);
  };
  const panel = { edge, site, unavailable, again, root, frame, body, handle, call, erased, make, icon, style, listeners, signal } as Panel;

  /** What is there for the whole visit. */
  const there: Record<string, unknown> = {};
  const once = (name: string, wanted: unknown, fetch: () => Promise<unknown>) => {
    // What could not be fetched is tried again when the session is opened anew.
    if (wanted && !there[name]) (there[name] = fetch()).catch(() => (there[name] = 0));
  };

  const opened = ({ bot, visitor, conversation }: { bot: Bot; visitor: { id: string }; conversation?: unknown }) => {
    panel.bot = bot;
    panel.visitor = visitor.id;
    const { features, form, strings } = bot;
    const { menu } = strings;
    if (menu && !there.menu) {
      const button = make("button", "tool", { "aria-label": menu, title: menu, "aria-expanded": "false" }, icon("M4 7h16M4 12h16M4 17h16"));
      there.menu = button.onclick = () => import("./menu").then((part) => part.menu(panel, button)).catch(lost);
      tools.after(button);
    }
    // It comes before the first message; and another visitor may have filled it in.
    if (form && (form.required || !conversation)) import("./form").then((part) => part.form(panel, form)).catch(lost);
    else root.querySelector(".form")?.remove();
    once("attach", features?.attachments, () => import("./attach").then((part) => part.attach(panel)));
    const speech = "SpeechRecognition" in window || "webkitSpeechRecognition" in window;
    once("dictate", features?.dictation && speech, () => import("./dictate").then((part) => part.dictate(panel)));
  };

  return {
    heard(url: string, body: string): string {
      if (url.endsWith("/v1/sessions")) {
        const session = JSON.parse(body);
        const { bot } = session;
        const { look } = shell;
        // The tag's own words: `data-greeting`, `data-text-send`.
        for (const name in look) {
          const text = /^text[A-Z]/.test(name) && name[4]!.toLowerCase() + name.slice(5);
          if (text) bot.strings[text] = look[name];
        }
        bot.greeting = look.greeting ?? bot.greeting;
        opened(session);
        body = JSON.stringify(session);
      }
      panel.current = /ions\/(\w+)\/(?:m|e)/.exec(url)?.[1] ?? panel.current;
      return body;
    },
    emit(kind: string, detail: string) {
      for (const listener of listeners) listener(kind, detail);
      if (kind == "forget") {
        panel.current = undefined;
        root.querySelector(".form")?.remove();
      }
      if (kind == "reply" && (document.hidden || !frame.classList.contains("open"))) {
        import("./unread").then((part) => part.unread(panel)).catch(lost);
      }
      if (kind == "feedback") {
        const rated = JSON.parse(detail);
        const unrate = () => handle()?.tell("unrate", rated.message);
        import("./comment").then((part) => part.rated(panel, rated), unrate);
      }
      if (kind == "code") {
        const codes = [...root.querySelectorAll<HTMLElement>("pre[data-language]")];
        if (codes.some((code) => KNOWN.test(code.dataset.language!))) {
          import("./highlight").then((part) => part.highlight(panel)).catch(lost);
        }
      }
    },
  };
};
