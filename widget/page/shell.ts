/** The panel's shell beyond what the loader draws: header, keyboard events, and the size on a phone. */

import type { Identity } from "../../snippet/bulle";
import type { LoaderShell } from "../../snippet/src/bubble";
import { icon, make } from "./dom";

/** The receiver of API calls: the widget in the page, or the frame. */
export interface Backend {
  /** Asks a question as if the visitor had typed it. */
  ask(text: string): void;
  identify(identity: Identity): void;
  /** Called when the visitor or the page has opened the panel. */
  focus?(): void;
  /** Called when the theme, the language or whether the panel is open has changed. */
  changed?(): void;
  /** Stops every call, timer and stream. */
  end(): void;
}

/** The API as the other modules of the page see it. */
export interface OwnerApi {
  /** Calls the page's listeners of an event. */
  emit(kind: string, detail: unknown): void;
  /** Connects the backend and sends it the queued calls. */
  connect(backend: Backend): void;
  /** The identity that the page has last given. */
  identity: Identity;
  /** Set when the tag asks for another language: whether the bubble was redrawn in it. */
  redrawn?: Promise<boolean>;
}

/** The loader's shell, completed with its elements and with what this module adds. */
export interface Shell extends LoaderShell {
  root: ShadowRoot;
  frame: HTMLElement;
  launcher: HTMLElement;
  panel: HTMLElement;
  /** The header's buttons; set by `decorate`. */
  tools: HTMLElement;
  /** Whether the bubble fills an element of the page instead of a corner of the window. */
  isInline: boolean;
  isOpen(): boolean;
  /** Sets custom properties, by their names without `--bulle-`. */
  paint(look: Record<string, string>): void;
  /** Sets the style sheet that follows the loader's. */
  setStyle(css: string): void;
  /** Aborted when the bubble is removed. */
  signal: AbortSignal;
  /** The owner's API, once it is taken over from the loader. */
  api?: OwnerApi;
  /** Removes every listener that is not the loader's. */
  end(): void;
}

/** Completes the loader's shell; once, however often the code is fetched. */
export const complete = (loaded: LoaderShell): Shell => {
  const shell = loaded as Shell;
  if (shell.signal) return shell;
  const { body, bubble } = shell;
  const root = body.getRootNode() as ShadowRoot;
  const find = (name: string) => root.querySelector<HTMLElement>("." + name)!;
  const [frame, panel, launcher] = [find("frame"), find("panel"), find("launcher")];
  find("header").setAttribute("part", "header");
  body.setAttribute("part", "body");
  panel.setAttribute("part", "panel");
  const controller = new AbortController();
  const { signal } = controller;

  const isInline = frame.classList.contains("inline");
  if (isInline) panel.role = "region";

  // Keyboard events do not leave the panel: the page's shortcuts cannot see that the target is a text field in a shadow root.
  panel.onkeydown = panel.onkeypress = panel.onkeyup = (event) => {
    event.stopPropagation();
    if (event.type != "keydown" || event.key != "Escape" || event.isComposing) return;
    // It would also close a dialog of the page.
    event.preventDefault();
    bubble.close();
  };

  // On a phone, the panel fills the visual viewport: the part of the screen that the keyboard does not cover.
  const viewport = window.visualViewport;
  const fit = () => {
    if (!viewport) return;
    // While the visitor is zoomed in, the panel keeps its size, larger than the screen, and can be panned.
    const isZoomed = viewport.scale > 1.1;
    panel.style.setProperty("--zoomed", isZoomed ? "auto" : "");
    if (isZoomed) return;
    panel.style.setProperty("--fit", viewport.height + "px");
    panel.style.setProperty("--top", viewport.offsetTop + "px");
  };
  viewport?.addEventListener("resize", fit, { signal });
  viewport?.addEventListener("scroll", fit, { signal });

  // A panel that fills the screen hides the page, so it is modal. media.css has the same width.
  const full = matchMedia("(max-width: 480px)");
  const modal = () => (panel.ariaModal = `${full.matches}`);
  if (!isInline) {
    full.addEventListener("change", modal, { signal });
    modal();
  }

  const isOpen = () => frame.classList.contains("open");
  const end = () => controller.abort();
  const sheet = new CSSStyleSheet();
  const setStyle = (css: string) => {
    sheet.replaceSync(css);
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  };
  Object.assign(shell, { root, frame, panel, launcher, isInline, isOpen, setStyle, signal, end, paint: bubble.setTheme });
  // Not waited for: most pages have no listeners that are in the way.
  import("./isolation").then((module) => signal.aborted || module.isolate(shell), (error) => console.error("[Bulle]", error));
  return shell;
};

/** Sets the widget's style sheet and draws the rest of the header; the header once, however often the code is fetched. */
export const decorate = (shell: Shell, css: string): void => {
  shell.setStyle(css);
  if (shell.tools) return;
  const { panel, launcher, look } = shell;
  const name = panel.querySelector("h2")!;
  const avatar = make("span", "avatar", {}, [...(name.textContent ?? "")][0] ?? "");
  avatar.ariaHidden = "true";
  const names = make("div", "names");
  shell.tools = make("span", "tools");
  name.replaceWith(avatar, names, shell.tools);
  names.append(name, make("p", "", {}, look.tagline ?? ""));
  panel.querySelector(".header>:last-child")!.replaceChildren(icon("M6 6l12 12M18 6 6 18"));
  launcher.prepend(icon("m6 9 6 6 6-6"));
};
