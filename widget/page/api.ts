/** The owner's JavaScript API: snippet/bulle.d.ts. The loader has queued what was called before. */

import type { Bubble, Config } from "../../snippet/src/bubble";
import type { Identity } from "../../snippet/bulle";
import type { Shell } from "./shell";

/** What carries the conversation: the widget in the page, or a frame. */
export interface Carrier {
  /** Asks a question as if the visitor had typed it. */
  ask(text: string): void;
  identify(who: Identity): void;
  /** The visitor, or the page, has opened the panel. */
  focus?(): void;
  /** In a frame: the page's wishes of looks or language have changed, or its panel has opened or closed. */
  changed?(): void;
  /** Stops everything that goes on. */
  end(): void;
}

/** What happens to be known by more than one part of the page's side. */
export interface Owner {
  /** Tells whoever listens. */
  emit(kind: string, detail: unknown): void;
  /** The conversation is there: what was called until now reaches it. */
  carry(carrier: Carrier): void;
  /** What the page has said of its visitor. */
  who: Identity;
  /** Whether the bubble has been drawn anew, in the language that the tag asks for. */
  moved?: Promise<boolean>;
}

type Listener = (detail: any) => void;

/** Takes the API over from the loader, and plays what was called. */
export const serve = (shell: Shell): Owner => {
  const { bubble, calls, config, look, root, isOpen, signal } = shell;
  const [, , edge, site] = config;
  const listeners: Record<string, Set<Listener>> = {};
  let carrier: Carrier | undefined;
  let isReady = false;
  let unseen = 0;

  const tell = (listener: Listener, detail: unknown) => {
    try {
      listener(detail);
    } catch (error) {
      // The owner's own, for whatever the owner watches errors with.
      reportError(error);
    }
  };
  const emit = (kind: string, detail: unknown) => {
    if (kind == "ready") isReady = true;
    for (const listener of [...(listeners[kind] ?? [])]) tell(listener, detail);
    if (kind == "reply" && (document.hidden || !isOpen())) emit("unread", { count: ++unseen });
  };
  const seen = () => {
    if (unseen && isOpen() && !document.hidden) emit("unread", { count: (unseen = 0) });
  };
  document.addEventListener("visibilitychange", seen, { signal });

  let wasOpen = false;
  shell.shown = (byVisitor) => {
    // A page may call before its visitor has done anything.
    if (byVisitor && !shell.isInline && (navigator.userActivation?.hasBeenActive ?? true)) {
      try {
        // This tab remembers that its visitor has opened the panel.
        sessionStorage["bulle-open:" + site] = isOpen() || "";
      } catch {}
    }
    if (byVisitor && isOpen()) carrier?.focus?.();
    carrier?.changed?.();
    if (isOpen() == wasOpen) return;
    wasOpen = isOpen();
    emit(wasOpen ? "open" : "close", {});
    seen();
  };

  const theme = {};
  const setTheme = (now: Record<string, string>) => {
    shell.paint(Object.assign(theme, now) && now);
    carrier?.changed?.();
  };

  const owner: Owner = {
    emit,
    who: undefined,
    carry(next) {
      carrier = next;
      for (const [, text] of calls.splice(0)) carrier.ask(text + "");
    },
  };
  const setLocale = async (locale: string) => {
    // A frame asks the edge itself: the page's policy may refuse to.
    if ("frame" in look) {
      look.locale = locale;
      return carrier?.changed?.();
    }
    try {
      const answer = await fetch(`${edge}/s/${site}.json?locale=${encodeURIComponent(locale)}`);
      const next = await answer.json();
      if (!answer.ok || signal.aborted) return;
      // The bubble is drawn anew. What has been said to it goes on, and whoever holds it speaks to the new one.
      next[6].spoken = look.locale ?? locale;
      const was = isOpen();
      const hadFocus = !!root.activeElement;
      const { marginInline } = shell.launcher.style;
      leave();
      // An element of the page fills itself.
      const host = root.host as Element & { draw?(next: Config): Bubble };
      if (!host.draw) shell.again(next);
      const now: Bubble = host.draw?.(next) ?? (window as any).Bulle[site];
      // Where it was, beside those of other sites.
      root.querySelector<HTMLElement>(".launcher")!.style.marginInline = marginInline;
      for (const kind in listeners) for (const listener of listeners[kind]!) now.on!(kind, listener);
      if (owner.who !== undefined) now.identify!(owner.who);
      now.setTheme!(theme);
      for (const [method, ...values] of calls.splice(0)) now[method]!(...values);
      for (const method in now) bubble[method] = (...values) => now[method]!(...values);
      if (was) now.open(hadFocus);
    } catch (error) {
      console.error("[Bulle]", error);
    }
  };
  const { destroy } = bubble;
  const leave = () => {
    carrier?.end();
    shell.end();
    destroy();
    // What was said before is not for another one.
    (window as any).Bulle.length = 0;
  };
  Object.assign(bubble, {
    ask(text) {
      if (!isOpen()) bubble.open();
      if (carrier) carrier.ask(text + "");
      else calls.push(["ask", text]);
    },
    identify(who) {
      owner.who = who;
      carrier?.identify(who);
    },
    signOut: () => bubble.identify!(null),
    setTheme,
    setLocale,
    on(kind, listener) {
      (listeners[kind] ??= new Set()).add(listener);
      if (kind == "ready" && isReady) tell(listener, {});
    },
    off: (kind, listener) => void listeners[kind]?.delete(listener),
    destroy() {
      try {
        sessionStorage.removeItem("bulle-open:" + site);
      } catch {}
      leave();
    },
  } satisfies Partial<typeof bubble>);
  for (const call of calls.splice(0)) {
    const [method, ...values] = call;
    // A question has opened the panel already; whoever has closed it meanwhile wants it closed.
    if (method == "ask") calls.push(call);
    else bubble[method]!(...values);
  }
  // The script speaks the browser's language; the tag may want another one.
  if (look.locale && look.locale != look.spoken && look.locale != config[0]) {
    owner.moved = setLocale(look.locale).then(() => signal.aborted);
  }
  if (isOpen()) shell.shown(true);
  return owner;
};
