/**
 * The script of a bot's page of its own, `/c/{site}`. In a frame, it speaks with the page around it: widget/page/frame.ts.
 */

import "./element";

const chat = document.querySelector<HTMLElement>("bulle-chat");
const say = (...call: unknown[]) => ((window as { Bulle?: any }).Bulle ??= []).push(call);

/** What the page around it says, over the port that it has sent. */
type Said =
  | ["start", focus: boolean, look: object]
  | ["focus"]
  | ["ask", text: string]
  | ["identify", somebody: boolean]
  | ["identity", ticket: number, failed: boolean, jwt: string];

const speak = (port: MessagePort) => {
  const tell = (...what: unknown[]) => port.postMessage(what);
  const waiting: Record<number, { resolve(jwt: string): void; reject(error: Error): void }> = {};
  let tickets = 0;
  const focus = () => chat?.shadowRoot?.querySelector<HTMLElement>("[data-first],textarea")?.focus();

  port.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data[0] == "start") {
      say("setTheme", data[2]);
      if (data[1]) say("on", "ready", () => requestAnimationFrame(focus));
    }
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

  say("on", "ready", () => tell("ready"));
  say("on", "unread", ({ count }: { count: number }) => tell("unread", count));
  chat?.addEventListener("bulle-close", () => tell("close"));
};

// The browser lets only pages of the site frame this one: the policy of the page names them.
if (parent != window) {
  addEventListener("message", ({ source, data, ports }) => {
    if (source == parent && data == "bulle" && ports[0]) speak(ports[0]);
  });
  parent.postMessage("bulle", "*");
}
