/**
 * `<bulle-chat site="SITE_KEY">`: a bubble that stands in the page instead of a corner, as wide and high as the element
 * is. A module, `https://EDGE/element.js`; the element may be there before it, be added, moved and taken away.
 */

import { start, type Bubble, type Config } from "./bubble";

const EDGE = new URL(import.meta.url).origin;

/** The element's own size, while the page says nothing, and the panel without its corner of the window. */
const STYLES = `:host{display:block;width:100%;height:600px}
.inline{display:contents}
.inline .launcher,.inline .header>.tool:last-child{display:none!important}
.inline .panel{position:static!important;width:100%!important;height:100%!important;visibility:visible!important;opacity:1!important;transform:none!important;box-shadow:none;transition:none}
:host([data-framed]) .header{padding-inline-end:56px}
@media print{:host,.inline .panel{height:auto!important}.inline .panel{overflow:visible;border:0}}`;

const page = window as { Bulle?: any };

export type { Chat };

class Chat extends HTMLElement {
  /** What the page can call; nothing before the settings have come. */
  bubble: Bubble | undefined;
  #root: ShadowRoot | undefined;
  #seen: IntersectionObserver | undefined;
  #show: (() => void) | undefined;
  #isAway = false;

  static observedAttributes = ["site", "data-identity"];

  connectedCallback() {
    if (this.#seen) return;
    // Nothing is fetched for what nobody sees.
    this.#seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void this.fill();
    });
    this.#seen.observe(this);
  }

  disconnectedCallback() {
    // An element that is moved is back by then.
    queueMicrotask(() => {
      if (!this.isConnected) this.#empty();
    });
  }

  attributeChangedCallback(name: string, old: string | null, now: string | null) {
    if (old == now) return;
    if (name == "data-identity") return this.bubble?.attach(this);
    if (!this.#seen) return;
    this.#empty();
    this.connectedCallback();
  }

  #empty() {
    this.#seen?.disconnect();
    this.#seen = undefined;
    this.bubble?.destroy();
    this.bubble = undefined;
    this.#root?.replaceChildren();
  }

  /** Draws the conversation; by itself, once the element comes into view. */
  async fill() {
    const site = this.getAttribute("site") ?? "";
    const seen = this.#seen;
    seen?.disconnect();
    const root = (this.#root ??= this.attachShadow({ mode: "open" }));
    let config: Config;
    try {
      const locale = this.dataset.locale ? "?locale=" + encodeURIComponent(this.dataset.locale) : "";
      const answer = await fetch(`${EDGE}/s/${encodeURIComponent(site)}.json${locale}`);
      const told = await answer.json();
      // For the site's owner: an unknown key, or a site that is paused.
      if (!answer.ok) return console.error("[Bulle]", told.detail);
      config = told;
      config[6].spoken = this.dataset.locale;
    } catch (error) {
      // The page's policy, a blocker or the network: a frame may come through, and brings its own message.
      console.error("[Bulle]", error);
      return this.#frame(root, site);
    }
    // The element has gone, or shows another site.
    if (this.#seen != seen) return;
    this.draw(config);
  }

  /** Fills the element, also when it has been filled before. */
  draw(config: Config): Bubble {
    const root = this.#root!;
    this.bubble = draw(this, config, root);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets.push(sheet);
    const { open, close } = this.bubble;
    this.bubble.close = this.bubble.toggle = () => void this.dispatchEvent(new Event("bulle-close"));
    this.bubble.open = (byVisitor) => this.#isAway || open(byVisitor);
    this.#show = () => (this.#isAway ? close() : open(false));
    // It is filled wherever it is.
    open(false);
    if (this.#isAway) close();
    this.dispatchEvent(new CustomEvent("bulle-draw", { detail: config }));
    return this.bubble;
  }

  /** It is always open, but in a page that another one frames: that has closed or opened the panel around it. */
  shown(isShown: boolean) {
    this.#isAway = !isShown;
    this.#show?.();
  }

  #frame(root: ShadowRoot, site: string) {
    const inner = document.createElement("iframe");
    inner.src = `${EDGE}/c/${encodeURIComponent(site)}?frame`;
    inner.title = this.title || "Chat";
    inner.style.cssText = "display:block;width:100%;height:100%;border:0";
    root.replaceChildren(inner);
  }
}

/** Fills an element. `Bulle[site]` stays what it was when there is another bubble of the same site. */
const draw = (element: HTMLElement, config: Config, root: ShadowRoot): Bubble => {
  const site = config[3];
  const all = (page.Bulle ??= []);
  const other: Bubble | undefined = all[site];
  delete all[site];
  start(element, config, undefined, root);
  const bubble: Bubble = all[site];
  if (other) all[site] = other;
  const { destroy } = bubble;
  bubble.destroy = () => {
    const now = all[site];
    destroy();
    if (now && now != bubble) all[site] = now;
  };
  return bubble;
};

customElements.define("bulle-chat", Chat);
