/**
 * A bubble before its code is there: the launcher, the panel's frame, and what fetches the rest on intent. It creates
 * one element and touches nothing else of the page: no global but `Bulle`, no cookie, no style sheet outside its
 * shadow root, no HTML string (pages may enforce Trusted Types).
 */

import type { Rule } from "./proactive";

/** `LoaderSettings` in protocol/src/loader.rs. */
export type Config = [
  locale: string,
  /** `textOpen` and its like, and `dir`. */
  texts: Record<string, string>,
  edge: string,
  site: string,
  name: string,
  tagline: string,
  /** What is not as it is by itself, by the names of the tag's attributes. */
  look: Record<string, any>,
  /** Of a site with notes that come first. */
  notes?: Rule[],
  dismiss?: string,
];

/** A call of the owner's API: the name of a method, and its arguments. */
export type Call = [method: string, ...values: any[]];

/** One bubble, as the page calls it; snippet/bulle.d.ts has what of it is the owner's. */
export interface Bubble {
  open(byVisitor?: any): void;
  close(): void;
  toggle(): void;
  destroy(): void;
  /** Puts the bubble back on the page; a second run of the tag says who the visitor is now. */
  attach(tag?: HTMLOrSVGElement | null): void;
  [method: string]: (...values: any[]) => void;
}

/** The loader's part of a bubble, for widget/page. */
export interface Shell {
  config: Config;
  /** The settings, what the tag says, and what has been said since. */
  look: Record<string, any>;
  root: ShadowRoot;
  /** The panel below its header. */
  body: HTMLElement;
  /** What the page calls. Most methods wait in `calls` until the code is there. */
  bubble: Bubble;
  calls: Call[];
  /** Writes custom properties, by their names without `--bulle-`. */
  paint(look: Record<string, string>): void;
  /** Draws a bubble in a corner of the page again, with other settings. */
  again(config: Config): void;
  /** Called by the loader when the panel has opened or closed, with whether the visitor or the page wanted it. */
  shown?(byVisitor: boolean): void;
}

/** The module widget/page/main.ts. */
interface Page {
  load(shell: Shell, files: Promise<unknown>[]): Promise<(focus: boolean) => unknown>;
}

/** Replaced by the build with the path of the widget's files, which holds their hash, up to what they end in. */
declare const __BULLE_ASSETS__: string;
/** Replaced by the build with shell.css. */
declare const __BULLE_STYLES__: string;

const page = window as { Bulle?: any };

/** An element with attributes and children. */
const make = (tag: string, attributes: Record<string, string>, ...children: (Node | string)[]) => {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...children);
  return element;
};

/**
 * Draws the bubble of a site. `tag` says what is different here; `old` is where it has been drawn before; `into` is filled,
 * instead of a corner of the page.
 */
export const start = (
  tag: HTMLOrSVGElement | null,
  config: Config,
  old?: ShadowRoot,
  into?: ShadowRoot,
) => {
  const [locale, texts, edge, site, name, , settings] = config;
  // What is no matter of looks becomes a custom property that nobody reads, but for the identity.
  const look: Shell["look"] = { name, scheme: "auto", label: "", ...texts, ...settings, ...tag?.dataset, identity: 0 };


  // Until there is a bubble, `Bulle` is an array of calls. It stays one, and each bubble hears what was said before.
  const all = (page.Bulle ??= []);
  all.push = ([method, ...values]: Call) => {
    for (const site in all) all[site][method]?.(...values);
  };
  if (all[site]) return all[site].attach(tag);

  const root = old ?? into ?? make("div", { "data-bulle": site }).attachShadow({ mode: "open" });
  const host = root.host as HTMLElement;
  host.dir = look.dir;
  host.lang = locale;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(__BULLE_STYLES__);
  root.adoptedStyleSheets = [sheet];

  const shut = make("button", { class: "tool", "aria-label": look.textClose }, "×");
  const body = make("div", { class: "body" });
  const panel = make(
    "div",
    { class: "panel", role: "dialog", "aria-label": look.name, tabindex: "-1" },
    make("div", { class: "header" }, make("h2", {}, look.name), shut),
    body,
  );
  const launcher = make("button", { class: "launcher", part: "launcher" }, " " + look.label);
  const frame = make("div", {}, panel, launcher);
  root.append(frame);

  let isOpen = false;
  const paint = (now: Record<string, string>) => {
    Object.assign(look, now);
    frame.className = ["frame", look.position, look.scheme, look.size, isOpen ? "open" : "", into && "inline"].join(" ");
    // As in CSS: `darkBg` is `--bulle-dark-bg`.
    for (const name in now)
      (sheet.cssRules[0] as CSSStyleRule).style.setProperty(
        "--bulle-" + name.replace(/[A-Z]/g, "-$&").toLowerCase(),
        now[name]!,
      );
  };

  /** What is being fetched, or has been; emptied by a failure so that the next wish tries again. */
  let code: Promise<((focus: boolean) => unknown) | void> | undefined;
  let tries = "";

  const fetchCode = async () => {
    // A failed import is remembered by the browser under its address: every try has its own.
    const at = (kind: string) => edge + __BULLE_ASSETS__ + kind + tries;
    const files = ("frame" in look ? [] : ["wasm", "css"]).map((kind) => fetch(at(kind)).catch((error) => error));
    try {
      return await ((await import(at("js"))) as Page).load(shell, files);
    } catch (error) {
      code = undefined;
      tries += "?";
      // For the site's owner, who reads here what a policy or a blocker has refused.
      console.error("[Bulle]", error);
    }
  };
  const prepare = () => (code ??= fetchCode());

  const cover = (...children: (Node | string)[]) =>
    body.replaceChildren(make("div", { class: "cover", role: "status" }, ...children));

  let isThere = false;
  const show = async (wanted: boolean, byVisitor = true) => {
    isOpen = wanted;
    paint({});
    launcher.ariaLabel = isOpen ? look.textClose : look.label || look.textOpen;
    launcher.ariaExpanded = isOpen as any;
    if (byVisitor) (isOpen ? panel : launcher).focus();
    shell.shown?.(byVisitor);
    if (isThere || !isOpen) return;
    isThere = true;
    cover(look.textLoading);
    const fill = await prepare();
    // It was taken away meanwhile.
    if (!frame.parentNode) return;
    isThere = !!(await fill?.(byVisitor));
    if (isThere) return;
    const retry = make("button", { class: "retry" }, "↻ " + look.textRetry);
    retry.onclick = bubble.open;
    cover(look.textUnavailable, retry);
  };

  const keeper = new MutationObserver(() => setTimeout(bubble.attach));
  let identity: string | undefined;
  const bubble: Bubble = {
    setTheme: paint,
    open: (byVisitor) => show(true, byVisitor),
    close: () => show(false),
    toggle: () => show(!isOpen),
    destroy() {
      keeper.disconnect();
      frame.remove();
      if (!into) host.remove();
      delete all[site];
    },
    attach(tag) {
      // A page that is drawn anew signs in and out with its tag; it keeps what a script has said.
      const now = tag?.dataset.identity;
      if (tag && now != identity) bubble.identify!((identity = now));
      // The body comes after a tag in the head. And some pages replace it, or what is in it, when the visitor follows a
      // link. Not at once: a page that takes the bubble away whenever it comes would not get to do anything else.
      if (into || !all[site]) return;
      for (const node of [document.documentElement, document.body]) if (node) keeper.observe(node, { childList: true });
      if (!host.isConnected) document.body?.append(host);
    },
  };
  const calls: Call[] = [];
  for (const method of ["ask", "identify", "signOut", "setLocale", "on", "off"]) {
    bubble[method] = (...values) => {
      calls.push([method, ...values]);
      if (method == "ask") bubble.open();
    };
  }
  const shell: Shell = { again: (next) => start(tag, next, root), config, look, root, body, bubble, calls, paint };

  launcher.onpointerenter = launcher.onfocus = prepare;
  shut.onclick = bubble.close;
  launcher.onclick = bubble.toggle;
  panel.onkeydown = ({ key }) => {
    if (key == "Escape") bubble.close();
  };
  paint(look);
  show(false, false);
  // The bubbles of several sites stand side by side.
  launcher.style.marginInline = 76 * document.querySelectorAll("[data-bulle]").length + "px";
  all[site] = bubble;
  bubble.attach(tag);
  all.map(([method, ...values]: Call) => bubble[method]?.(...values));
  try {
    // In this order: how wide the window is takes a layout to know.
    if (sessionStorage["bulle-open:" + site] && innerWidth > 640) show(true, false);
  } catch {}
};
