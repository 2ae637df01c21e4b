/**
 * `<bulle-chat site="SITE_KEY">`: a bubble in the page instead of a corner, with the size of the element. It is a module,
 * `https://EDGE/element.js`. The element may exist before the module runs, and may be added, moved and removed.
 */

import { start, type Bubble, type Config } from "./bubble";

const EDGE = new URL(import.meta.url).origin;

/** The default size of the element, and the panel's layout in it. In a wide element, lines are at most 720 pixels long. */
const STYLES = `:host{display:block;width:100%;height:600px}
.inline{display:contents}
.inline .launcher,.inline .header>.tool:last-child{display:none!important}
.inline :is(.header,.composer){padding-inline:max(12px,50% - 360px)}
.inline :is(.log,.state,.form,.sheet){padding-inline:max(16px,50% - 360px)}
.inline .panel{position:static!important;width:100%!important;height:100%!important;visibility:visible!important;opacity:1!important;transform:none!important;box-shadow:none;transition:none}
:host([data-framed]) .header{padding-inline-end:56px}
@media print{:host,.inline .panel{height:auto!important}.inline .panel{overflow:visible;border:0}}`;

const page = window as { Bulle?: any };

export type { ChatElement };

class ChatElement extends HTMLElement {
  /** The API object; undefined until the settings are fetched. */
  bubble: Bubble | undefined;
  #root: ShadowRoot | undefined;
  #seen: IntersectionObserver | undefined;
  #show: (() => void) | undefined;
  #isAway = false;

  static observedAttributes = ["site", "data-identity"];

  connectedCallback() {
    if (this.#seen) return;
    // Nothing is fetched before the element is visible.
    this.#seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void this.fill();
    });
    this.#seen.observe(this);
  }

  disconnectedCallback() {
    // An element that is moved is connected again by then.
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

  /** Draws the conversation; called when the element comes into view. */
  async fill() {
    const site = this.getAttribute("site") ?? "";
    const seen = this.#seen;
    seen?.disconnect();
    const root = (this.#root ??= this.attachShadow({ mode: "open" }));
    let config: Config;
    try {
      const locale = this.dataset.locale ? "?locale=" + encodeURIComponent(this.dataset.locale) : "";
      const answer = await fetch(`${EDGE}/s/${encodeURIComponent(site)}.json${locale}`);
      const settings = await answer.json();
      // For the site's owner: an unknown key, or a site that is paused.
      if (!answer.ok) return console.error("[Bulle]", settings.detail);
      config = settings;
      config[5].spoken = this.dataset.locale;
    } catch (error) {
      // The page's policy, a blocker or the network has refused the settings. A frame may still load, and shows its own errors.
      console.error("[Bulle]", error);
      return this.#frame(root, site);
    }
    // The element was removed meanwhile, or shows another site.
    if (this.#seen != seen) return;
    this.draw(config);
  }

  /** Fills the element, also if it was filled before. */
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
    // Opened even if it is hidden, so that the conversation is loaded.
    open(false);
    if (this.#isAway) close();
    this.dispatchEvent(new CustomEvent("bulle-draw", { detail: config }));
    return this.bubble;
  }

  /** Reports that the panel around the frame has opened or closed. Without a frame, the element is always open. */
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

/** Fills an element. If there is another bubble of the same site, `Bulle[site]` stays that one. */
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

customElements.define("bulle-chat", ChatElement);
