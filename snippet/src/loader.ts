/**
 * The script of a site: draws the launcher and the panel's frame, and fetches the rest on intent.
 *
 * It is the only thing that every page view pays for, so it stays under 3,000 bytes (brotli). It
 * creates one element and touches nothing else of the page: no global but `Bulle`, no cookie, no
 * style sheet outside its shadow root, no HTML string (pages may enforce Trusted Types).
 */

import { styles } from "./styles";

/** The fields of `LoaderConfig` in protocol/src/loader.rs, in their order. */
type Config = [
  edge: string,
  site: string,
  name: string,
  tagline: string,
  locale: string,
  opening: string,
  closing: string,
  loading: string,
  unavailable: string,
  again: string,
  accent: string,
  scheme: "auto" | "light" | "dark",
  position: "left" | "right",
];

/** `start` of widget/page/main.ts. */
interface Widget {
  start(shell: object, module: WebAssembly.Module, css: string, focus: boolean): Promise<boolean>;
}

/** Replaced by the edge with the site's configuration. */
declare const __BULLE_CONFIG__: Config;
/** Replaced by the build with the hashed paths of the widget. */
declare const __BULLE_ASSETS__: { js: string; wasm: string; css: string };

/** A JWT, a function that gives one or a promise of one, or nothing when the visitor has signed out. */
type Identity = string | (() => unknown) | null | undefined;

/**
 * `attach` puts the bubble back on the page: a second run of the tag calls it. `identify` tells who the visitor is; the
 * widget replaces it by its own. Until then, `id` is what was said. `tag` is what the tag says.
 */
type Bubble = {
  open(): void;
  close(): void;
  attach(): void;
  identify(who: Identity): void;
  id?: Identity;
  tag: string | undefined;
};

const assets = __BULLE_ASSETS__;
const bubbles: Record<string, Bubble> = ((window as { Bulle?: Record<string, Bubble> }).Bulle ??= {});

/** An element with a class, attributes and children; SVG when the tag says so. */
const make = (tag: string, kind = "", attributes: Record<string, string> = {}, ...children: (Node | string)[]) => {
  const element = (
    /svg|path/.test(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag)
  ) as HTMLElement;
  element.setAttribute("class", kind);
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...children);
  return element;
};

const icon = (d: string) => make("svg", "icon", { viewBox: "0 0 24 24", "aria-hidden": "true" }, make("path", "", { d }));

const sheet = (css: string) => {
  const constructed = new CSSStyleSheet();
  constructed.replaceSync(css);
  return constructed;
};

const start = (config: Config) => {
  const [edge, site, name, tagline, locale, opening, closing, loading, unavailable, again, accent, scheme, position] = config;
  const tag = document.currentScript?.dataset.identity;
  const old = bubbles[site];
  if (old) {
    // A page that is drawn anew signs in and out with its tag; it keeps what a script has said.
    if (old.tag != tag) old.identify((old.tag = tag));
    return old.attach();
  }
  // About the relative luminance of WCAG: above 0.179, black has more contrast than white. With 2.2 instead of
  // its two formulas, the colour that is chosen still has 4.5 to 1 on every accent.
  const luminance = accent
    .match(/\w\w/g)!
    .reduce((sum, hex, i) => sum + [0.2126, 0.7152, 0.0722][i]! * (parseInt(hex, 16) / 255) ** 2.2, 0);

  const host = make("div", "", { lang: locale, "data-bulle": site });
  host.dir = /^(ar|fa|he|ur)\b/.test(locale) ? "rtl" : "ltr";
  const style = (element: HTMLElement, name: string, value: string) => element.style.setProperty("--" + name, value);
  style(host, "accent", accent);
  style(host, "on-accent", luminance > 0.179 ? "#000" : "#fff");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets.push(sheet(styles));

  const tools = make("span");
  const shut = make("button", "tool", { "aria-label": closing }, icon("M6 6l12 12M18 6 6 18"));
  const body = make("div", "body");
  const panel = make(
    "div",
    "panel",
    { role: "dialog", "aria-label": name, tabindex: "-1" },
    make(
      "div",
      "header",
      {},
      make("span", "avatar", { "aria-hidden": "true" }, [...name][0] ?? ""),
      make("div", "names", {}, make("h2", "", {}, name), make("p", "", {}, tagline)),
      tools,
      shut,
    ),
    body,
  );
  const launcher = make(
    "button",
    "launcher",
    {},
    icon("M12 4c-5 0-9 3-9 7 0 3 1 4 3 6v4l4-3c6 1 11-2 11-7 0-4-4-7-9-7z"),
    icon("m6 9 6 6 6-6"),
  );
  const frame = make("div", `frame ${position} ${scheme}`, {}, panel, launcher);
  root.append(frame);

  /** Where this tab remembers that its visitor has opened the panel. */
  const key = "bulle-open:" + site;

  /** What is being fetched, or has been; emptied by a failure so that the next wish tries again. */
  let fetched: Promise<[Widget, WebAssembly.Module, string]> | undefined;
  let mounted = false;
  let tries = 0;

  const fetchCode = () => {
    // A failed import is remembered by the browser under its address: every try has its own.
    const at = (path: string) => edge + path + (tries ? `?${tries}` : "");
    if (!fetched) {
      fetched = Promise.all([
        import(at(assets.js)) as Promise<Widget>,
        WebAssembly.compileStreaming(fetch(at(assets.wasm))),
        fetch(at(assets.css)).then((answer) => (answer.ok ? answer.text() : Promise.reject(answer))),
      ]);
      fetched.catch((error) => {
        fetched = undefined;
        tries++;
        // For the site's owner, who reads here what a policy or a blocker has refused.
        console.error("[Bulle]", error);
      });
    }
    return fetched;
  };

  const load = async (focus: boolean) => {
    if (mounted) return;
    body.replaceChildren(
      make("div", "cover wait", { role: "status", "aria-label": loading }, make("i"), make("i"), make("i")),
    );
    try {
      const [widget, module, css] = await fetchCode();
      if (mounted) return;
      mounted = await widget.start({ config, root, body, tools, bubble }, module, css, focus);
    } catch {}
    if (mounted) return;
    const retry = make("button", "retry", {}, again);
    retry.onclick = () => {
      panel.focus();
      void load(true);
    };
    body.replaceChildren(make("div", "cover", {}, make("p", "", { role: "alert" }, unavailable), retry));
  };

  const show = (isOpen: boolean, byVisitor = true) => {
    launcher.setAttribute("aria-label", isOpen ? closing : opening);
    launcher.setAttribute("aria-expanded", `${isOpen}`);
    frame.classList.toggle("open", isOpen);
    if (!byVisitor) return;
    try {
      sessionStorage[key] = isOpen || "";
    } catch {}
    // The widget marks what comes first: a text field would raise the keyboard of a phone.
    if (isOpen) (body.querySelector<HTMLElement>("[data-first]") ?? panel).focus();
    else launcher.focus();
  };

  const open = (byVisitor = true) => {
    show(true, byVisitor);
    void load(byVisitor);
  };
  const close = () => show(false);

  launcher.onpointerenter = launcher.onfocus = fetchCode;
  launcher.onclick = () => (frame.classList.contains("open") ? close() : open());
  shut.onclick = close;
  // Keys belong to the bubble while it has the focus: the page's shortcuts see no text field in here.
  panel.onkeydown = panel.onkeypress = panel.onkeyup = (event) => {
    event.stopPropagation();
    if (event.type == "keydown" && event.key == "Escape" && !event.isComposing) close();
  };

  // On a phone, the panel is what the keyboard leaves of the screen.
  const viewport = window.visualViewport!;
  const fit = () => {
    // A visitor who zooms in wants the panel to be larger than the screen.
    if (viewport.scale > 1.1) return;
    style(panel, "height", viewport.height + "px");
    style(panel, "top", viewport.offsetTop + "px");
  };
  viewport.addEventListener("resize", fit);
  viewport.addEventListener("scroll", fit);

  show(false, false);
  // The bubbles of several sites stand side by side.
  launcher.style.margin = "0 " + 76 * Object.keys(bubbles).length + "px";

  // The body comes after a tag in the head. And some pages replace it, or what is in it, when the visitor follows a
  // link. Not at once: a page that takes the bubble away whenever it comes would not get to do anything else.
  const keeper = new MutationObserver(() => setTimeout(attach));
  const attach = () => {
    const { body, documentElement } = document;
    keeper.observe(documentElement, { childList: true });
    if (!body) return;
    keeper.observe(body, { childList: true });
    if (!host.isConnected) body.append(host);
  };
  attach();
  const bubble: Bubble = (bubbles[site] = { open, close, attach, identify: (who) => (bubble.id = who), tag });
  try {
    if (innerWidth > 640 && sessionStorage[key]) open(false);
  } catch {}
};

// The settings come last: what stands before them is the same for every site, and is compressed once.
start(__BULLE_CONFIG__);
