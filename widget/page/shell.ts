/** What the loader leaves to be done until the visitor shows intent: the header, keys, and the place on a phone. */

import type { Shell as Loaded } from "../../snippet/src/bubble";

/** What the page's side works with: what the loader has made, and what is found or made in it. */
export interface Shell extends Loaded {
  frame: HTMLElement;
  launcher: HTMLElement;
  panel: HTMLElement;
  /** Where the header keeps its buttons. */
  tools: HTMLElement;
  /** Ends every listener when the bubble is taken away. */
  signal: AbortSignal;
  /** Takes the bubble away. */
  end(): void;
}

const SVG = "http://www.w3.org/2000/svg";

const icon = (d: string) => {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS(SVG, tag)) as [SVGElement, SVGElement];
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
};

const element = (tag: string, kind: string, ...children: (Node | string)[]) => {
  const made = document.createElement(tag);
  made.className = kind;
  made.append(...children);
  return made;
};

/** Completes what the loader has drawn. */
export const complete = (loaded: Loaded): Shell => {
  const { root, config, data, body } = loaded;
  const find = (name: string) => root.querySelector<HTMLElement>("." + name)!;
  const [frame, panel, header, launcher] = [find("frame"), find("panel"), find("header"), find("launcher")];
  const controller = new AbortController();
  const { signal } = controller;

  // A second try finds what the first has made.
  let tools = root.querySelector<HTMLElement>(".tools");
  if (!tools) {
    const name = header.querySelector("h2")!;
    tools = element("span", "tools");
    const avatar = element("span", "avatar", [...name.textContent!][0] ?? "");
    avatar.ariaHidden = "true";
    header.prepend(avatar);
    const names = element("div", "names");
    name.replaceWith(names);
    names.append(name, element("p", "", data.tagline ?? config[3]));
    names.after(tools);
    header.querySelector("button")!.replaceChildren(icon("M6 6l12 12M18 6 6 18"));
    launcher.querySelector("svg")!.after(icon("m6 9 6 6 6-6"));
    header.setAttribute("part", "header");
    body.setAttribute("part", "body");
  }

  // Names of custom properties as they are written in CSS; the loader takes them as they come.
  const spelled = /[A-Z]/;
  paint(loaded, Object.fromEntries(Object.entries(data).filter(([name]) => spelled.test(name))) as Record<string, string>);

  // Keys belong to the bubble while it has the focus: the page's shortcuts see no text field in here.
  for (const kind of ["keydown", "keypress", "keyup"] as const) {
    panel.addEventListener(
      kind,
      (event) => {
        event.stopPropagation();
        if (kind == "keydown" && event.key == "Escape" && !event.isComposing) loaded.bubble.close();
      },
      { signal },
    );
  }
  panel.onkeydown = null;

  // On a phone, the panel is what the keyboard leaves of the screen.
  const viewport = window.visualViewport;
  const fit = () => {
    // A visitor who zooms in wants the panel to be larger than the screen.
    if (!viewport || viewport.scale > 1.1) return;
    panel.style.setProperty("--fit", viewport.height + "px");
    panel.style.setProperty("--top", viewport.offsetTop + "px");
  };
  viewport?.addEventListener("resize", fit, { signal });
  viewport?.addEventListener("scroll", fit, { signal });
  fit();

  return { ...loaded, frame, panel, launcher, tools, signal, end: () => controller.abort() };
};

/** Writes custom properties by their names in camel case. */
export const paint = (shell: Loaded, look: Record<string, string>): void => {
  const entries = Object.entries(look).map(([name, value]) => [name.replace(/[A-Z]/g, "-$&").toLowerCase(), value]);
  shell.paint(Object.fromEntries(entries) as Record<string, string>);
};
