/**
 * The script of a bot's hosted page, `/c/{site}`. In a frame, it exchanges messages with the page around it:
 * widget/page/frame.ts.
 */

import "./element";
import type { Config } from "./bubble";
import type { ChatElement } from "./element";

const chat = document.querySelector<ChatElement>("bulle-chat");
const call = (...entry: unknown[]) => ((window as { Bulle?: any }).Bulle ??= []).push(entry);

/** The options of the page around the frame; they may change at any time. */
interface FrameOptions {
  theme: Record<string, string>;
  locale: string;
  /** Whether the panel around the frame is open. */
  isOpen: boolean;
}

/** A message of the page around the frame, over the port that it has sent. */
type HostMessage =
  | ["start", focus: boolean, words: Record<string, string>, options: FrameOptions]
  | ["wishes", FrameOptions]
  | ["focus"]
  | ["ask", text: string]
  | ["draft", text: string, start: number, end: number, focus: boolean]
  | ["identify", isSignedIn: boolean]
  | ["identity", ticket: number, failed: boolean, jwt: string];

/** The names that the page may set, and the values it may give them. Anything else is ignored. */
const THEME: [names: RegExp, values: RegExp][] = [
  [/^scheme$/, /^(auto|light|dark)$/],
  [/^(font|(on-)?accent|(dark-)?(bg|soft|line|text|muted|danger))$/, /^/],
];
const TEXTS: typeof THEME = [[/^(name|tagline|greeting|text[A-Z]\w*)$/, /^/]];

const allowed = (given: unknown, rules: typeof THEME): [name: string, value: string][] =>
  Object.entries(given ?? {}).filter(
    ([name, value]) => typeof value == "string" && rules.some(([names, values]) => names.test(name) && values.test(value)),
  );

const connect = (port: MessagePort) => {
  const post = (...message: unknown[]) => port.postMessage(message);
  const waiting: Record<number, { resolve(jwt: string): void; reject(error: Error): void }> = {};
  let tickets = 0;
  let isOpen = true;
  let wantsFocus = false;
  let spoken: string | undefined;
  const focus = () => chat?.shadowRoot?.querySelector<HTMLElement>("[data-first],textarea")?.focus();

  const apply = ({ theme, locale, isOpen: now }: FrameOptions) => {
    if (!chat) return;
    call("setTheme", Object.fromEntries(allowed(theme, THEME)));
    // Before the first drawing, the locale is an attribute that the drawing reads.
    if (chat.hidden) chat.dataset.locale = locale + "";
    else if (locale != spoken) call("setLocale", locale + "");
    spoken = locale;
    if (now != isOpen) chat.shown((isOpen = !!now));
  };

  port.onmessage = ({ data }: MessageEvent<HostMessage>) => {
    if (data[0] == "start" && chat) {
      wantsFocus = data[1];
      for (const [name, value] of allowed(data[2], TEXTS)) {
        chat.dataset[name] = value;
        if (name == "name") for (const place of document.querySelectorAll("title,h1")) place.textContent = value;
      }
      apply(data[3]);
      chat.hidden = false;
      // Not left to the element's IntersectionObserver: in a panel that was closed meanwhile it would never fire, and a question may be waiting.
      void chat.fill();
    }
    if (data[0] == "wishes") apply(data[1]);
    if (data[0] == "focus") focus();
    if (data[0] == "ask") call("ask", data[1]);
    const field = chat?.shadowRoot?.querySelector("textarea");
    if (data[0] == "draft" && field) {
      const [, text, start, end, focus] = data;
      field.value = text;
      if (focus) field.focus();
      field.setSelectionRange(start, end);
      // Tells the widget, if it is there already.
      field.dispatchEvent(new Event("input"));
    }
    if (data[0] == "identify") {
      // The page is asked whenever a JWT is needed, because it may give a fresh one each time.
      const getJwt = () =>
        new Promise<string>((resolve, reject) => {
          waiting[++tickets] = { resolve, reject };
          post("identity", tickets);
        });
      call("identify", data[1] ? getJwt : null);
    }
    if (data[0] == "identity") {
      const [, ticket, failed, jwt] = data;
      const request = waiting[ticket];
      delete waiting[ticket];
      if (failed) request?.reject(new Error("the page could not say who its visitor is"));
      else request?.resolve(jwt);
    }
  };

  call("on", "ready", () => {
    post("ready");
    // `ready` comes again after a change of language.
    if (wantsFocus) requestAnimationFrame(focus);
    wantsFocus = false;
  });
  call("on", "unread", ({ count }: { count: number }) => post("unread", count));
  chat?.addEventListener("bulle-close", () => post("close"));
  chat?.addEventListener("bulle-unread", (event) => post("badge", ...(event as CustomEvent<unknown[]>).detail));
  chat?.addEventListener("bulle-draw", (event) => {
    const [locale, texts, , , , { label = "" }] = (event as CustomEvent<Config>).detail;
    post("drawn", locale, { ...texts, label });
  });
};

// Only pages of the site can frame this one: its `frame-ancestors` names them.
if (parent != window) {
  // A bubble sends options, and nothing is drawn before. A page that frames the hosted page by itself sends none.
  if (chat && /[?&]frame=bubble(&|$)/.test(location.search)) chat.hidden = true;
  addEventListener("message", ({ source, data, ports }) => {
    if (source == parent && data == "bulle" && ports[0]) connect(ports[0]);
  });
  parent.postMessage("bulle", "*");
}
