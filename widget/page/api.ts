/** The owner's JavaScript API: snippet/bulle.d.ts. The loader has queued what was called before. */

import type { Bubble, Look, Occasions } from "../../snippet/bulle";
import { paint, type Shell } from "./shell";

/** What carries the conversation: the widget in the page, or a frame. */
export interface Carrier {
  /** Asks a question as if the visitor had typed it. */
  ask(text: string): void;
  identify: Bubble["identify"];
  /** The panel is open, or not. */
  shown(isOpen: boolean, byVisitor: boolean): void;
  /** Says everything in another language; the settings have changed. */
  relocate(): void;
  /** Stops everything that goes on. */
  end(): void;
}

/** Takes the API over from the loader, and plays what was called. `emit` tells whoever listens. */
export const serve = (shell: Shell, carrier: () => Carrier | undefined) => {
  const { bubble, calls, frame, launcher, panel, config, data } = shell;
  const listeners: Record<string, Set<(detail: any) => void>> = {};
  const isOpen = () => frame.classList.contains("open");
  let isReady = false;
  let unseen = 0;

  const tell = (listener: (detail: any) => void, detail: unknown) => {
    try {
      listener(detail);
    } catch (error) {
      // The owner's own, for the owner's eyes.
      reportError(error);
    }
  };
  const emit = <Kind extends keyof Occasions>(kind: Kind, detail: Occasions[Kind]) => {
    for (const listener of [...(listeners[kind] ?? [])]) tell(listener, detail);
    if (kind == "ready") isReady = true;
    if (kind == "reply" && (document.hidden || !isOpen())) emit("unread", { count: ++unseen });
  };
  const seen = () => {
    if (unseen && isOpen() && !document.hidden) emit("unread", { count: (unseen = 0) });
  };
  document.addEventListener("visibilitychange", seen, { signal: shell.signal });

  /** Where this tab remembers that its visitor has opened the panel. */
  const key = "bulle-open:" + config[1];
  const isInline = !launcher.isConnected || frame.classList.contains("inline");

  let wasOpen = isOpen();
  // The loader's copy of the shell is the one that it calls.
  shell.loaded.shown = (byVisitor) => {
    const open = isOpen();
    if (open == wasOpen) return;
    wasOpen = open;
    if (byVisitor && !isInline) {
      try {
        sessionStorage[key] = open || "";
      } catch {}
    }
    carrier()?.shown(open, byVisitor);
    emit(open ? "open" : "close", {});
    seen();
  };

  const classes = { scheme: ["auto", "light", "dark"], position: ["left", "right"], size: ["compact", "regular", "large"] };

  const methods: Pick<Bubble, "ask" | "identify" | "signOut" | "setTheme" | "setLocale" | "on" | "off"> = {
    ask(text) {
      if (!isOpen()) bubble.open();
      carrier()?.ask(text + "");
    },
    identify: (who) => carrier()?.identify(who),
    signOut: () => carrier()?.identify(null),
    setTheme(look) {
      const looks: Record<string, string> = {};
      for (const [name, value] of Object.entries(look as Look)) {
        const known = classes[name as keyof typeof classes];
        if (!known) looks[name] = value;
        else if (known.includes(value)) {
          frame.classList.remove(...known);
          frame.classList.add(value);
        }
      }
      paint(shell, looks);
    },
    async setLocale(locale) {
      try {
        const answer = await fetch(`${config[0]}/s/${config[1]}.json?locale=${encodeURIComponent(locale)}`);
        const next = (await answer.json()) as typeof config;
        const label = next[10].label ?? "";
        config.splice(2, 8, ...(next.slice(2, 10) as any));
        const host = shell.root.host as HTMLElement;
        host.lang = next[4];
        host.dir = next[10].dir ?? "";
        panel.ariaLabel = data.name ?? next[2];
        panel.querySelector("h2")!.textContent = panel.ariaLabel;
        panel.querySelector(".names p")!.textContent = data.tagline ?? next[3];
        shell.loaded.relabel(next[5], next[6], data.label ?? label);
        carrier()?.relocate();
      } catch (error) {
        console.error("[Bulle]", error);
      }
    },
    on(kind, listener) {
      (listeners[kind] ??= new Set()).add(listener);
      if (kind == "ready" && isReady) tell(listener, {});
    },
    off: (kind, listener) => void listeners[kind]?.delete(listener),
  };

  return { emit, methods };
};
