/**
 * Keeps the page's listeners and the bubble apart. A page may watch its whole window, for events that the visitor means for
 * the bubble:
 *
 * - Smooth-scroll libraries and scroll locks take `wheel` and touches, and prevent the scrolling of the list.
 * - The focus trap of an open modal takes the focus back when it leaves (`focus`, `focusin`, `focusout` with the place where
 *   it goes, Tab), and prevents clicks outside (`mousedown`, `touchstart`, `click`).
 * - Menus and modals close when something else is pressed (`pointerdown`, `click`).
 *
 * The page gets none of these events: they are stopped at the window, before any listener of the document. What the browser
 * does by itself, to scroll, to move the focus or to select, it does all the same. No listener of the bubble needs one of
 * them but `click`, which is stopped on its way out. What a listener of the window has prevented before us is made up for.
 */

import type { Shell } from "./shell";

/** Events in the bubble that the page does not get, nor the bubble. */
const HIDDEN = "wheel touchstart touchmove touchend touchcancel pointerdown mousedown focus focusin focusout keydown";

type Isolated = Pick<Shell, "root" | "panel" | "signal" | "onFocus">;

/** Stops the events of the bubble; once. */
export const isolate = (shell: Isolated): void => {
  const { root, panel, signal } = shell;
  const { host } = root;
  const early = { capture: true, passive: true, signal };
  const isInside = (event: Event) => event.composedPath().includes(host);

  for (const type of HIDDEN.split(" ")) {
    const hide = (event: Event) => {
      const { key, relatedTarget } = event as KeyboardEvent & FocusEvent;
      // A panel that fills the screen moves the focus by itself; of the other keys, none leaves the panel.
      if (key ? key != "Tab" || panel.ariaModal == "true" : type == "keydown") return;
      // When the focus goes from the page into the bubble, the page is not told where to.
      if (!isInside(event) && (type != "focusout" || relatedTarget != host)) return;
      event.stopImmediatePropagation();
      if (type == "wheel" && event.defaultPrevented) scroll(event as WheelEvent, root);
    };
    // The loader's listener is before those of a focus trap that was opened before the visitor showed interest.
    if (type == "focus") shell.onFocus = hide;
    else addEventListener(type, hide, early);
  }

  // A focus trap may swallow a click on its way in: then the button that was meant is clicked by a second one, which stays
  // in the bubble. The first one has had its effect, unless that was prevented too.
  let swallowed: Event | undefined;
  addEventListener("click", (event) => {
    if (!event.isTrusted || !isInside(event)) return;
    swallowed = event;
    const [target] = event.composedPath();
    setTimeout(() => {
      if (swallowed != event) return;
      root.addEventListener("click", (second) => event.defaultPrevented || second.preventDefault(), { once: true });
      target!.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    });
  }, early);
  root.addEventListener("click", () => (swallowed = undefined), early);
  host.addEventListener("click", (event) => event.stopPropagation(), { signal });
};

/** Scrolls what the wheel is over. */
const scroll = (event: WheelEvent, root: ShadowRoot) => {
  // The wheel counts pixels, or lines of text.
  const top = event.deltaY * (event.deltaMode ? 20 : 1);
  for (const place of event.composedPath() as Element[]) {
    if ((place as Node) == root) return;
    const was = place.scrollTop;
    if (/auto|scroll/.test(getComputedStyle(place).overflowY)) place.scrollBy({ top, behavior: "instant" });
    if (place.scrollTop != was) return;
  }
};
