/** What the loader leaves to be done until the visitor shows intent: the header, keys, and the place on a phone. */

import type { Shell as Loaded } from "../../snippet/src/bubble";
import type { Owner } from "./api";
import { icon, make } from "./dom";

/** What the page's side works with: what the loader has made, and what is found or made in it. */
export interface Shell extends Loaded {
  frame: HTMLElement;
  launcher: HTMLElement;
  panel: HTMLElement;
  /** Where the header keeps its buttons; there once it is decorated. */
  tools: HTMLElement;
  /** In an element of the page instead of a corner of the window. */
  isInline: boolean;
  isOpen(): boolean;
  /** Sets what stands behind the loader's own style. */
  dress(css: string): void;
  /** Ends every listener when the bubble is taken away. */
  signal: AbortSignal;
  /** The owner's API, once it is taken over from the loader. */
  owner?: Owner;
  /** Takes away what is not the loader's. */
  end(): void;
}

/** Completes what the loader has drawn; once, however often the code is fetched. */
export const complete = (loaded: Loaded): Shell => {
  const shell = loaded as Shell;
  if (shell.signal) return shell;
  const { root, body, bubble } = shell;
  const find = (name: string) => root.querySelector<HTMLElement>("." + name)!;
  const [frame, panel, launcher] = [find("frame"), find("panel"), find("launcher")];
  find("header").setAttribute("part", "header");
  body.setAttribute("part", "body");
  panel.setAttribute("part", "panel");
  const controller = new AbortController();
  const { signal } = controller;

  const isInline = frame.classList.contains("inline");
  if (isInline) panel.role = "region";

  // Keys belong to the bubble while it has the focus: the page's shortcuts see no text field in here.
  panel.onkeydown = panel.onkeypress = panel.onkeyup = (event) => {
    event.stopPropagation();
    if (event.type == "keydown" && event.key == "Escape" && !event.isComposing) bubble.close();
  };

  // On a phone, the panel is what the keyboard leaves of the screen.
  const viewport = window.visualViewport;
  const fit = () => {
    if (!viewport) return;
    // A visitor who zooms in wants the panel to be larger than the screen, and to move about in it.
    const isZoomed = viewport.scale > 1.1;
    panel.style.setProperty("--zoomed", isZoomed ? "auto" : "");
    if (isZoomed) return;
    panel.style.setProperty("--fit", viewport.height + "px");
    panel.style.setProperty("--top", viewport.offsetTop + "px");
  };
  viewport?.addEventListener("resize", fit, { signal });
  viewport?.addEventListener("scroll", fit, { signal });

  // Nothing of the page can be seen behind a panel that fills the screen; media.css has the same width.
  const full = matchMedia("(max-width: 480px)");
  const modal = () => (panel.ariaModal = `${full.matches}`);
  if (!isInline) {
    full.addEventListener("change", modal, { signal });
    modal();
  }

  const isOpen = () => frame.classList.contains("open");
  const end = () => controller.abort();
  const sheet = new CSSStyleSheet();
  const dress = (css: string) => {
    sheet.replaceSync(css);
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  };
  return Object.assign(shell, { frame, panel, launcher, isInline, isOpen, dress, signal, end });
};

/** Draws what the loader has left out, in the style of the widget; once, however often the code is fetched. */
export const decorate = (shell: Shell, css: string): void => {
  shell.dress(css);
  if (shell.tools) return;
  const { panel, launcher, look, config } = shell;
  const name = panel.querySelector("h2")!;
  const avatar = make("span", "avatar", {}, [...(name.textContent ?? "")][0] ?? "");
  avatar.ariaHidden = "true";
  const names = make("div", "names");
  shell.tools = make("span", "tools");
  name.replaceWith(avatar, names, shell.tools);
  names.append(name, make("p", "", {}, look.tagline ?? config[5]));
  panel.querySelector(".header>:last-child")!.replaceChildren(icon("M6 6l12 12M18 6 6 18"));
  launcher.prepend(icon("m6 9 6 6 6-6"));
};
