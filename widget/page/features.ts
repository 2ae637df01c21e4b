/** The optional features of the panel: loads the module of each when it is first needed, and gives it its `Panel`. */

import type { Handle } from "./bridge";
import { icon, make } from "./dom";
import type { Bot, Panel } from "./panel";
import type { Shell } from "./shell";

/** Languages that highlight.ts knows. */
const HIGHLIGHTED =
  /^(jsx?|javascript|[cm]js|tsx?|typescript|py|python|rs|rust|go|java|c|h|cc|cpp|c\+\+|cs|csharp|c#|php|rb|ruby|(ba|z)?sh|shell|sql|jsonc?|ya?ml|html|xml|svg|s?css)$/i;

/** Reports to the site's owner that a module could not be fetched. The next use fetches it again. */
const logFailure = (error: unknown) => console.error("[Bulle]", error);

/**
 * Watches the calls and the events of the widget for the need of a feature. `onAnswer` takes a successful answer of the
 * edge and returns the body that the widget reads; `emit` takes every event of the widget.
 */
export const features = (shell: Shell, handle: () => Handle | undefined, call: Panel["call"], erased: Panel["erased"]) => {
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

  /** Features that stay for the whole visit, by name. */
  const loaded: Record<string, unknown> = {};
  const loadOnce = (name: string, isWanted: unknown, load: () => Promise<unknown>) => {
    // A module that could not be fetched is fetched again when the session is next opened.
    if (isWanted && !loaded[name]) (loaded[name] = load()).catch(() => (loaded[name] = 0));
  };

  const sessionOpened = ({ bot, visitor, conversation }: { bot: Bot; visitor: { id: string }; conversation?: unknown }) => {
    panel.bot = bot;
    panel.visitor = visitor.id;
    const { features, form, strings, shortcuts } = bot;
    const { menu } = strings;
    if (menu && !loaded.menu) {
      const button = make("button", "tool", { "aria-label": menu, title: menu, "aria-expanded": "false" }, icon("M4 7h16M4 12h16M4 17h16"));
      loaded.menu = button.onclick = () => import("./menu").then((module) => module.menu(panel, button)).catch(logFailure);
      tools.after(button);
    }
    if (form || shortcuts) import("./first-screen").then((module) => module.firstScreen(panel, !conversation)).catch(logFailure);
    // A form of the visitor before may still stand there.
    else root.querySelector(".form")?.remove();
    loadOnce("attach", features?.attachments, () => import("./attachments").then((module) => module.attachments(panel)));
    const hasRecognition = "SpeechRecognition" in window || "webkitSpeechRecognition" in window;
    loadOnce("dictate", features?.dictation && hasRecognition, () => import("./dictation").then((module) => module.dictation(panel)));
  };

  return {
    onAnswer(url: string, body: string): string {
      if (url.endsWith("/v1/sessions")) {
        const session = JSON.parse(body);
        const { bot } = session;
        const { look } = shell;
        // The tag's own texts: `data-greeting`, `data-text-send`.
        for (const name in look) {
          const text = /^text[A-Z]/.test(name) && name[4]!.toLowerCase() + name.slice(5);
          if (text) bot.strings[text] = look[name];
        }
        bot.greeting = look.greeting ?? bot.greeting;
        root.querySelector(".names p")!.textContent = look.tagline ?? bot.tagline;
        sessionOpened(session);
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
        import("./unread").then((module) => module.unread(panel)).catch(logFailure);
      }
      if (kind == "feedback") {
        const rated = JSON.parse(detail);
        const unrate = () => handle()?.command("unrate", rated.message);
        import("./feedback").then((module) => module.feedback(panel, rated), unrate);
      }
      if (kind == "code") {
        const codes = [...root.querySelectorAll<HTMLElement>("pre[data-language]")];
        if (codes.some((code) => HIGHLIGHTED.test(code.dataset.language!))) {
          import("./highlight").then((module) => module.highlight(panel)).catch(logFailure);
        }
      }
    },
  };
};
