/**
 * The script of a bot's page of its own, `/c/{site}`. In a frame, it speaks with the page around it: widget/page/frame.ts.
 */

import "./element";
import type { Config } from "./bubble";
import type { Chat } from "./element";

const chat = document.querySelector<Chat>("bulle-chat");
const say = (...call: unknown[]) => ((window as { Bulle?: any }).Bulle ??= []).push(call);

/** What the page wants; it may change at any time. */
interface Wishes {
  theme: Record<string, string>;
  locale: string;
  /** Whether the panel around the frame is open. */
  isOpen: boolean;
}

/** What the page around this one says, over the port that it has sent. */
type Said =
  | ["start", focus: boolean, words: Record<string, string>, wishes: Wishes]
  | ["wishes", Wishes]
  | ["focus"]
  | ["ask", text: string]
  | ["identify", somebody: boolean]
  | ["identity", ticket: number, failed: boolean, jwt: string];

/** The names that a page may use, and their values. The rest of what it says is left alone. */
const THEME: [names: RegExp, values: RegExp][] = [
  [/^scheme$/, /^(auto|light|dark)$/],
  [/^(font|(on-)?accent|(dark-)?(bg|soft|line|text|muted))$/, /^/],
];
const WORDS: typeof THEME = [[/^(name|tagline|greeting|text[A-Z]\w*)$/, /^/]];

const known = (said: unknown, what: typeof THEME): [name: string, value: string][] =>
  Object.entries(said ?? {}).filter(
    ([name, value]) => typeof value == "string" && what.some(([names, values]) => names.test(name) && values.test(value)),
  );

const speak = (port: MessagePort) => {
  const tell = (...what: unknown[]) => port.postMessage(what);
  const waiting: Record<number, { resolve(jwt: string): void; reject(error: Error): void }> = {};
  let tickets = 0;
  let isOpen = true;
  let wantsFocus = false;
  let spoken: string | undefined;
  const focus = () => chat?.shadowRoot?.querySelector<HTMLElement>("[data-first],textarea")?.focus();

  const wish = ({ theme, locale, isOpen: now }: Wishes) => {
    if (!chat) return;
    say("setTheme", Object.fromEntries(known(theme, THEME)));
    // What is said before the conversation is drawn is drawn.
    if (chat.hidden) chat.dataset.locale = locale + "";
    else if (locale != spoken) say("setLocale", locale + "");
    spoken = locale;
    if (now != isOpen) chat.shown((isOpen = !!now));
  };

  port.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data[0] == "start" && chat) {
      wantsFocus = data[1];
      for (const [name, value] of known(data[2], WORDS)) {
        chat.dataset[name] = value;
        if (name == "name") for (const place of document.querySelectorAll("title,h1")) place.textContent = value;
      }
      wish(data[3]);
      chat.hidden = false;
      // The panel may be closed by now, and nothing comes into view in there. It may have been asked a question before.
      void chat.fill();
    }
    if (data[0] == "wishes") wish(data[1]);
    if (data[0] == "focus") focus();
    if (data[0] == "ask") say("ask", data[1]);
    if (data[0] == "identify") {
      // The page is asked whenever a JWT is needed: it may be a fresh one each time.
      const ask = () =>
        new Promise<string>((resolve, reject) => {
          waiting[++tickets] = { resolve, reject };
          tell("identity", tickets);
        });
      say("identify", data[1] ? ask : null);
    }
    if (data[0] == "identity") {
      const [, ticket, failed, jwt] = data;
      const one = waiting[ticket];
      delete waiting[ticket];
      if (failed) one?.reject(new Error("the page could not say who its visitor is"));
      else one?.resolve(jwt);
    }
  };

  say("on", "ready", () => {
    tell("ready");
    // Another language makes it ready once more.
    if (wantsFocus) requestAnimationFrame(focus);
    wantsFocus = false;
  });
  say("on", "unread", ({ count }: { count: number }) => tell("unread", count));
  chat?.addEventListener("bulle-close", () => tell("close"));
  chat?.addEventListener("bulle-unread", (event) => tell("badge", ...(event as CustomEvent<unknown[]>).detail));
  chat?.addEventListener("bulle-draw", (event) => {
    const [locale, texts, , , , , { label = "" }] = (event as CustomEvent<Config>).detail;
    tell("drawn", locale, { ...texts, label });
  });
};

// The browser lets only pages of the site frame this one: the policy of the page names them.
if (parent != window) {
  // A bubble's page says how it is to look. A page that frames it by itself says nothing.
  if (chat && /[?&]frame=bubble(&|$)/.test(location.search)) chat.hidden = true;
  addEventListener("message", ({ source, data, ports }) => {
    if (source == parent && data == "bulle" && ports[0]) speak(ports[0]);
  });
  parent.postMessage("bulle", "*");
}
