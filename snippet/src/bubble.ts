/**
 * The loader's part of a bubble: the launcher, the panel's frame, and the code that fetches the rest when the visitor shows
 * intent. It creates one element and touches nothing else of the page: no global but `Bulle`, no cookie, no style sheet
 * outside its shadow root, no HTML string (pages may enforce Trusted Types).
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
  /** The settings that differ from the defaults, by the names of the tag's attributes. */
  look: Record<string, any>,
  /** For a site with proactive notes: proactive.ts. */
  notes?: Rule[],
  dismiss?: string,
];

/** A call of the owner's API: the name of a method, and its arguments. */
export type Call = [method: string, ...values: any[]];

/** One bubble with its methods; snippet/bulle.d.ts declares those that owners may call. */
export interface Bubble {
  open(byVisitor?: any): void;
  close(): void;
  toggle(): void;
  destroy(): void;
  /** Puts the bubble back on the page. A second run of the tag passes itself, and with it a changed identity. */
  attach(tag?: HTMLOrSVGElement | null): void;
  [method: string]: (...values: any[]) => void;
}

/** The loader's state, for widget/page. */
export interface LoaderShell {
  config: Config;
  /** The settings, overridden by the tag's attributes and by later calls. */
  look: Record<string, any>;
  /** The panel below its header: what waits, and the composer with the text field. */
  body: HTMLElement;
  /** The API object. Most of its methods queue their calls in `calls` until the code is loaded. */
  bubble: Bubble;
  calls: Call[];
  /** Draws the bubble in the corner of the page again, with other settings. */
  redraw(config: Config): void;
  /** Called by the loader when the panel has opened or closed; `byVisitor` is false if it did so by itself. */
  shown?(byVisitor: boolean): void;
  /**
   * Called with the events `focus` and `click` of the page. The loader listens to them, because listeners of the window are
   * called in the order in which they are added, and the page may add those of a focus trap any time later:
   * widget/page/isolation.ts.
   */
  onEvent?(event: Event): void;
}

/** The module widget/page/main.ts. */
interface MainModule {
  /** Without files: what follows the page's modal dialogs; with a frame, also what fills the panel. */
  load(shell: LoaderShell, files: Promise<unknown>[]): Promise<(focus: boolean) => unknown>;
}

/** Replaced by the build with the path of the widget's files, including their hash, without the extension. */
declare const __BULLE_ASSETS__: string;
/** Replaced by the build with shell.css. */
declare const __BULLE_STYLES__: string;

const page = window as { Bulle?: any };

/** An element with properties and children. */
const make = (tag: string, properties: Record<string, unknown>, ...children: (Node | string)[]): HTMLElement => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/**
 * Draws the bubble of a site. The attributes of `tag` override the settings. `old` is the shadow root of a bubble that is
 * drawn again; `into` is that of an element to fill, instead of a corner of the page.
 */
export const start = (
  tag: HTMLOrSVGElement | null,
  config: Config,
  old?: ShadowRoot,
  into?: ShadowRoot,
) => {
  const [locale, texts, edge, site, name, settings] = config;
  // Optimisers of pages run the code of the tag without the tag. What is beyond this selector, widget/page/tag.ts finds.
  tag ??= document.querySelector<HTMLElement>(`script[src*="${site}"]`);
  // Every entry becomes a custom property; those that are not about looks are never read. The identity is kept out of it.
  const look: LoaderShell["look"] = { name, scheme: "auto", label: "", ...texts, ...settings, ...tag?.dataset, identity: 0 };

  // Before the first bubble, `Bulle` is an array of calls. It keeps them, and every bubble replays them.
  const all = (page.Bulle ??= []);
  all.push = ([method, ...values]: Call) => {
    for (const site in all) all[site][method]?.(...values);
  };
  if (all[site]) return all[site].attach(tag);

  const root = old ?? into ?? make("div", {}).attachShadow({ mode: "open" });
  const host = root.host as HTMLElement;
  if (!into) host.setAttribute("data-bulle", site);
  host.dir = look.dir;
  host.lang = locale;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(__BULLE_STYLES__);
  root.adoptedStyleSheets = [sheet];

  // The code keeps the field as it is, so that nothing of what is being typed is lost: widget/web/src/composer.rs.
  const field = make("textarea", { placeholder: look.textPlaceholder, ariaLabel: look.textPlaceholder, dir: "auto", rows: 1 }) as HTMLTextAreaElement;
  const send = make("button", { className: "tool", ariaLabel: look.textSend }, "↑");
  const cover = make("div", { role: "status", className: "cover" });
  const composer = make("div", { className: "composer" }, make("div", { className: "field" }, field, send));
  const body = make("div", { className: "body" }, cover, composer);
  const shut = make("button", { className: "tool", ariaLabel: look.textClose }, "×");
  const panel = make(
    "div",
    { role: "dialog", ariaLabel: look.name, className: "panel", tabIndex: -1 },
    make("div", { className: "header" }, make("h2", {}, look.name), shut),
    body,
  );
  const launcher = make("button", { className: "launcher", part: "launcher" }, " " + look.label);
  const frame = make("div", {}, panel, launcher);
  root.append(frame);

  let isOpen = false;
  const paint = (now: Record<string, string>) => {
    Object.assign(look, now);
    frame.className = `frame ${look.position} ${look.scheme} ${look.size} ${isOpen && "open"} ${into && "inline"}`;
    // As in CSS: `darkBg` is `--bulle-dark-bg`.
    for (const name in now)
      (sheet.cssRules[0] as CSSStyleRule).style.setProperty(
        "--bulle-" + name.replace(/[A-Z]/g, "-$&").toLowerCase(),
        now[name]!,
      );
  };

  /** The fetch of the code; cleared by a failure, so that the next use tries again. */
  let code: Promise<((focus: boolean) => unknown) | void> | undefined;
  let tries = "";

  /** Fetches the code, with these files of the widget. */
  const fetchCode = async (...kinds: string[]) => {
    // The browser caches a failed import under its URL, so every attempt uses a URL of its own.
    const at = (kind: string) => edge + __BULLE_ASSETS__ + kind + tries;
    const files = kinds.map((kind) => fetch(at(kind)).catch((error) => error));
    try {
      return await ((await import(at("js"))) as MainModule).load(shell, files);
    } catch (error) {
      code = undefined;
      tries += "?";
      // For the site's owner: the error names what a policy or a blocker has refused.
      console.error("[Bulle]", error);
    }
  };
  const prepare = () => (code ??= "frame" in look ? fetchCode() : fetchCode("wasm", "css"));

  let isThere = false;
  const show = async (wanted: boolean, byVisitor = true) => {
    isOpen = wanted;
    paint({});
    launcher.ariaLabel = isOpen ? look.textClose : look.label || look.textOpen;
    launcher.ariaExpanded = isOpen as any;
    if (byVisitor) {
      (isOpen ? panel : launcher).focus();
      // With a finger, the field would raise the keyboard over the greeting.
      if (isOpen && matchMedia("(hover)").matches) field.focus();
    }
    shell.shown?.(byVisitor);
    if (isThere || !isOpen) return;
    isThere = true;
    cover.replaceChildren("…");
    isThere = !!(await (await prepare())?.(byVisitor));
    if (!isThere) cover.replaceChildren(look.textUnavailable, make("button", { onclick: bubble.open }, "↻ " + look.textRetry));
  };

  // At the window, because a focus trap of the page may stop a click on its way to the launcher.
  const onEvent = (event: Event) => {
    // A modal dialog of the page, which gets the focus when it opens, makes the launcher inert: widget/page/modal.ts.
    if (document.querySelector("dialog[open]")) fetchCode();
    shell.onEvent?.(event);
    if (event.composedPath().includes(launcher)) (event.type == "click" ? bubble.toggle! : prepare)();
  };
  const listen = (change: typeof addEventListener) => {
    change("focus", onEvent, true);
    change("click", onEvent, true);
  };
  const bubble: Bubble = {
    setTheme: paint,
    open: (byVisitor) => show(true, byVisitor),
    close: () => show(false),
    toggle: () => show(!isOpen),
    destroy() {
      listen(removeEventListener);
      frame.remove();
      if (!into) host.remove();
      delete all[site];
    },
    attach(tag) {
      if (tag) bubble.tagged!(tag);
      if (into || !all[site]) return;
      // Beside the body, and not in it: what a page does with its body does not concern the bubble. It may replace it with all
      // that it has, make all but a modal `inert`, or give it a filter or a transform, which carry fixed elements along.
      // For a tag in the head, the body does not exist yet.
      if (!document.body) setTimeout(bubble.attach);
      else if (!host.isConnected) document.documentElement.append(host);
    },
  };
  const calls: Call[] = [];
  for (const method of "tagged ask identify signOut setLocale on off".split(" ")) {
    bubble[method] = (...values) => {
      calls.push([method, ...values]);
      if (method == "ask") bubble.open();
    };
  }
  const submit = (_?: unknown) => {
    if (!field.value.trim()) return;
    bubble.ask!(field.value);
    composer.before(make("p", { dir: "auto" }, field.value));
    field.value = "";
    field.focus();
  };
  const shell: LoaderShell = { look, config, calls, bubble, redraw: (next) => start(tag, next, root), body };

  launcher.onpointerenter = prepare;
  shut.onclick = bubble.close;
  field.onkeydown = (event) => {
    // Keys of an input method that is composing have another code.
    if (event.keyCode == 13 && !event.shiftKey) submit(event.preventDefault());
  };
  send.onclick = submit;
  panel.onkeydown = (event) => {
    // The page's shortcuts cannot see that the target is a text field in a shadow root.
    event.stopPropagation();
    if (event.keyCode == 27) bubble.close();
  };
  listen(addEventListener);
  paint(look);
  show(false, false);
  // The bubbles of several sites stand side by side.
  launcher.style.marginInline = 76 * document.querySelectorAll("[data-bulle]").length + "px";
  all[site] = bubble;
  bubble.attach(tag);
  all.map(([method, ...values]: Call) => bubble[method]?.(...values));
  try {
    // In this order, because `innerWidth` forces a layout.
    if (sessionStorage["bulle-open:" + site] && innerWidth > 640) show(true, false);
  } catch {}
};
