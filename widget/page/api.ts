/** The owner's JavaScript API: snippet/bulle.d.ts. Calls made before this module was loaded are queued by the loader. */

import type { Bubble, Config } from "../../snippet/src/bubble";
import { followPage } from "./scheme";
import type { Backend, OwnerApi, Shell } from "./shell";
import { missedAttributes } from "./tag";

type Listener = (detail: any) => void;

/** Takes the API over from the loader and replays the queued calls. */
export const ownerApi = (shell: Shell): OwnerApi => {
  const { bubble, calls, config, look, root, isOpen, signal } = shell;
  const [, , edge, site] = config;
  const listeners: Record<string, Set<Listener>> = {};
  let backend: Backend | undefined;
  let isReady = false;
  let unread = 0;
  let identityOfTag: string | undefined;

  const notify = (listener: Listener, detail: unknown) => {
    try {
      listener(detail);
    } catch (error) {
      // An error of the owner's code goes to the page's own error handling.
      reportError(error);
    }
  };
  const emit = (kind: string, detail: unknown) => {
    if (kind == "ready") isReady = true;
    for (const listener of [...(listeners[kind] ?? [])]) notify(listener, detail);
    if (kind == "reply" && (document.hidden || !isOpen())) emit("unread", { count: ++unread });
  };
  const resetUnread = () => {
    if (unread && isOpen() && !document.hidden) emit("unread", { count: (unread = 0) });
  };
  document.addEventListener("visibilitychange", resetUnread, { signal });

  let wasOpen = false;
  shell.shown = (byVisitor) => {
    // A call of the page before any gesture of the visitor does not count as the visitor's.
    if (byVisitor && !shell.isInline && (navigator.userActivation?.hasBeenActive ?? true)) {
      try {
        // Stored for this tab, so that the panel opens again on its next page.
        sessionStorage["bulle-open:" + site] = isOpen() || "";
      } catch {}
    }
    if (byVisitor && isOpen()) backend?.focus?.();
    backend?.changed?.();
    if (isOpen() == wasOpen) return;
    wasOpen = isOpen();
    emit(wasOpen ? "open" : "close", {});
    resetUnread();
  };

  const theme = {};
  const setTheme = (now: Record<string, string>) => {
    shell.paint(Object.assign(theme, now) && now);
    backend?.changed?.();
  };

  const api: OwnerApi = {
    emit,
    identity: undefined,
    connect(next) {
      backend = next;
      for (const [, text] of calls.splice(0)) backend.ask(text + "");
    },
  };
  const setLocale = async (locale: string) => {
    // A frame fetches the language itself: the page's policy may refuse the request.
    if ("frame" in look) {
      look.locale = locale;
      return backend?.changed?.();
    }
    try {
      const answer = await fetch(`${edge}/s/${site}.json?locale=${encodeURIComponent(locale)}`);
      const next = await answer.json();
      if (!answer.ok || signal.aborted) return;
      // The bubble is drawn again. Its state and listeners move to the new one, and the old object forwards its calls.
      next[5].spoken = look.locale ?? locale;
      const wasOpen = isOpen();
      const hadFocus = !!root.activeElement;
      const field = () => root.querySelector("textarea")!;
      const { value, selectionStart, selectionEnd } = field();
      const { marginInline } = shell.launcher.style;
      leave();
      // `<bulle-chat>` draws itself: snippet/src/element.ts.
      const host = root.host as Element & { draw?(next: Config): Bubble };
      if (!host.draw) shell.redraw(next);
      const now: Bubble = host.draw?.(next) ?? (window as any).Bulle[site];
      // The launcher keeps its place beside those of other sites.
      root.querySelector<HTMLElement>(".launcher")!.style.marginInline = marginInline;
      for (const kind in listeners) for (const listener of listeners[kind]!) now.on!(kind, listener);
      if (api.identity !== undefined) now.identify!(api.identity);
      now.setTheme!(theme);
      for (const [method, ...values] of calls.splice(0)) now[method]!(...values);
      field().value = value;
      field().setSelectionRange(selectionStart, selectionEnd);
      for (const method in now) bubble[method] = (...values) => now[method]!(...values);
      if (wasOpen) now.open(hadFocus);
    } catch (error) {
      console.error("[Bulle]", error);
    }
  };
  const { destroy } = bubble;
  const leave = () => {
    backend?.end();
    shell.end();
    destroy();
    // Queued calls were meant for this bubble and not for one drawn later.
    (window as any).Bulle.length = 0;
  };
  Object.assign(bubble, {
    ask(text) {
      if (!isOpen()) bubble.open();
      if (backend) backend.ask(text + "");
      else calls.push(["ask", text]);
    },
    identify(identity) {
      api.identity = identity;
      backend?.identify(identity);
    },
    // A page that renders itself again signs in and out with its tag. Only a changed attribute overrides what a script has set.
    tagged({ dataset: { identity } }: HTMLOrSVGElement) {
      if (identity != identityOfTag) bubble.identify!((identityOfTag = identity));
    },
    signOut: () => bubble.identify!(null),
    setTheme,
    setLocale,
    on(kind, listener) {
      (listeners[kind] ??= new Set()).add(listener);
      if (kind == "ready" && isReady) notify(listener, {});
    },
    off: (kind, listener) => void listeners[kind]?.delete(listener),
    destroy() {
      try {
        sessionStorage.removeItem("bulle-open:" + site);
      } catch {}
      leave();
    },
  } satisfies Partial<typeof bubble>);
  if (!shell.isInline) {
    const { identity, ...missed } = missedAttributes(config, look);
    setTheme(missed);
    // What the page has said since, counts.
    if (identity && !calls.some(([method]) => method == "identify")) bubble.identify!(identity);
  }
  followPage(shell, setTheme);
  for (const call of calls.splice(0)) {
    const [method, ...values] = call;
    // `ask` has opened the panel when it was queued. If the visitor has closed the panel since, it stays closed.
    if (method == "ask") calls.push(call);
    else bubble[method]!(...values);
  }
  // The script comes in the browser's language; the tag may ask for another one.
  if (look.locale && look.locale != look.spoken && look.locale != config[0]) {
    api.redrawn = setLocale(look.locale).then(() => signal.aborted);
  }
  if (isOpen()) shell.shown(true);
  return api;
};
