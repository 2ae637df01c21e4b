/**
 * The bubble and the page's modal dialogs. While a `<dialog>` is modal, everything outside of it is inert: a visitor could
 * neither press the launcher nor write in an open panel. So the bubble's element goes along: into the dialog that was opened
 * last, and back when it is closed. There it is a popover, in the browser's top layer, because a dialog may cut off or carry
 * along what is inside it. It touches nothing of the dialog, and no event of the bubble reaches it (isolation.ts).
 *
 * Loaded when the first modal dialog is open. Dialogs in shadow roots of the page are not seen.
 */

import type { Shell } from "./shell";

type Place = Element & { moveBefore?(node: Node, before: null): void };

/** Has the bubble follow the page's modal dialogs. */
export const follow = ({ root, signal }: Pick<Shell, "root" | "signal">): void => {
  const host = root.host as HTMLElement;
  /** Modal dialogs, the last opened at the end. */
  let dialogs: Element[] = [];

  const move = (place: Place) => {
    // Moved in this way, everything keeps its state, also frames and what is scrolled.
    if (host.isConnected && place.moveBefore) return place.moveBefore(host, null);
    const focused = root.activeElement as HTMLElement | null;
    const scrolled = [...root.querySelectorAll("*")].filter(({ scrollTop }) => scrollTop).map((element) => [element, element.scrollTop] as const);
    place.append(host);
    for (const [element, top] of scrolled) element.scrollTop = top;
    focused?.focus({ preventScroll: true });
  };
  const update = () => {
    const modal = [...document.querySelectorAll("dialog:modal")];
    dialogs = [...dialogs.filter((dialog) => modal.includes(dialog)), ...modal.filter((dialog) => !dialogs.includes(dialog))];
    const place: Place = dialogs.at(-1) ?? document.documentElement;
    watch(!!dialogs[0]);
    if (host.parentNode == place) return;
    // A frame that is moved in the old way loads again, and the conversation in it would be lost.
    if (!place.moveBefore && root.querySelector("iframe") && host.isConnected) return;
    if (host.popover) host.hidePopover?.();
    move(place);
    host.popover = dialogs[0] ? "manual" : null;
    if (dialogs[0]) host.showPopover?.();
  };

  const observer = new MutationObserver(update);
  const watch = (isInside: boolean) => {
    observer.disconnect();
    // A page may take the dialog away without closing it, and the bubble with it.
    observer.observe(document, { subtree: true, attributeFilter: ["open"], childList: isInside });
  };
  signal.addEventListener("abort", () => observer.disconnect());
  update();
};
