/**
 * Keeps the page's listeners and the bubble apart. A page may watch its whole window, for events that the visitor means for
 * the bubble:
 *
 * - Smooth-scroll libraries and scroll locks take `wheel` and touches, and prevent the scrolling of the list.
 * - The focus trap of an open modal takes the focus back when it leaves (`focus`, `focusin`, `focusout` with the place where
 *   it goes, Tab), and prevents clicks outside (`mousedown`, `touchstart`, `click`).
 * - Menus and modals close when something else is pressed (`pointerdown`, `click`), or Escape; shortcuts are keys
 *   (`keydown`), and the page does not see that the target is a text field.
 *
 * The page gets none of these events: they are stopped at the window, before any listener of the document. What the browser
 * does by itself, to scroll, to move the focus or to select, it does all the same. Of them, the bubble itself listens to keys,
 * of which it gets a copy, and to clicks, which are stopped on their way out. A wheel that a listener of the window has
 * prevented earlier is made up for.
 *
 * Loaded on the visitor's interest, beside the rest.
 */

import type { Shell } from "./shell";

/** Events in the bubble that the page does not get, nor the bubble; with `focus`, of which the loader tells. */
const HIDDEN = "wheel touchstart touchmove touchend touchcancel pointerdown mousedown focusin focusout";

type Isolated = Pick<Shell, "root" | "signal" | "onEvent" | "isInline" | "bubble">;

/** Keeps the bubble's events, and its element, from the page; once. */
export const isolate = (shell: Isolated): void => {
  const { root, signal, bubble } = shell;
  stopEvents(shell);
  if (shell.isInline) return;
  // Some pages replace all that they have on navigation. The element is put back after a timeout: a page that removes it every
  // time would otherwise be kept in a loop.
  const keeper = new MutationObserver(() => setTimeout(bubble.attach));
  keeper.observe(document.documentElement, { childList: true });
  signal.addEventListener("abort", () => keeper.disconnect());
  followDialogs(root, signal);
};

/** Loads modal.ts when the page opens its first modal dialog. */
const followDialogs = (root: ShadowRoot, signal: AbortSignal) => {
  const observe = () => observer.observe(document, { subtree: true, attributeFilter: ["open"] });
  const look = () => {
    if (!document.querySelector("dialog:modal")) return;
    observer.disconnect();
    import("./modal").then((module) => signal.aborted || module.follow({ root, signal }), observe);
  };
  const observer = new MutationObserver(look);
  signal.addEventListener("abort", () => observer.disconnect());
  observe();
  look();
};

const stopEvents = (shell: Isolated) => {
  const { root, signal } = shell;
  const { host } = root;
  const early = { capture: true, passive: true, signal };
  const isInside = (event: Event) => event.composedPath().includes(host);

  const hide = (event: Event) => {
    const { type } = event;
    // When the focus goes from the page into the bubble, the page is not told where to.
    if (!isInside(event) && (type != "focusout" || (event as FocusEvent).relatedTarget != host)) return;
    event.stopImmediatePropagation();
    if (type == "wheel" && event.defaultPrevented) scroll(event as WheelEvent, root);
  };
  for (const type of HIDDEN.split(" ")) addEventListener(type, hide, early);

  // The bubble needs its keys: it gets a copy, which stays in it. In Firefox, a `KeyboardEvent` of this type leaves every shadow
  // root, whatever its `composed` says; an `Event` stays.
  addEventListener(
    "keydown",
    (event) => {
      if (!isInside(event)) return;
      event.stopImmediatePropagation();
      const { key, code, keyCode, shiftKey, ctrlKey, altKey, metaKey, isComposing } = event;
      const copy = Object.assign(new Event("keydown", { bubbles: true, cancelable: true }), { key, code, keyCode, shiftKey, ctrlKey, altKey, metaKey, isComposing });
      if (!event.composedPath()[0]!.dispatchEvent(copy)) event.preventDefault();
    },
    { capture: true, signal },
  );

  // A focus trap may swallow a click on its way in: then the button that was meant is clicked by a second one, which stays
  // in the bubble. The first one has had its effect, unless that was prevented too.
  let swallowed: Event | undefined;
  const watchClick = (event: Event) => {
    if (!event.isTrusted || !isInside(event)) return;
    swallowed = event;
    const [target] = event.composedPath();
    setTimeout(() => {
      if (swallowed != event) return;
      root.addEventListener("click", (second) => event.defaultPrevented || second.preventDefault(), { once: true });
      target!.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    });
  };
  // The loader's listener is before those of a focus trap that was opened before the visitor showed interest. It has opened or
  // closed the panel already when the launcher was clicked.
  shell.onEvent = (event) => (event.type == "click" ? watchClick : hide)(event);
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
