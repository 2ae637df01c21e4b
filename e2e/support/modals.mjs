// Pages with a modal of their own: focus traps as libraries write them, and modal dialogs.

export const inline = (script) => `<script>${script.replaceAll("</script", "<\\/script")}</script>`;

/** A modal of the page with a field, and `modal.open()`. What it does when it is open is the trap. */
export const modal = (trap) => `<div id="modal" role="dialog" aria-modal="true" aria-label="Newsletter" hidden style="position:fixed;inset:60px auto auto 60px;padding:20px;background:#eee">
    <label>E-mail <input id="mail"></label><button>Subscribe</button></div>
  ${inline(`const box = document.querySelector("#modal"), mail = document.querySelector("#mail");
  window.modal = { open() { box.hidden = false; mail.focus(); trap(); } };
  const trap = () => { ${trap} };`)}`;

/** Traps, written as the libraries do it that are named. */
export const TRAPS = {
  "Bootstrap's focusin": `document.addEventListener("focusin", (event) => { if (event.target !== document && event.target !== box && !box.contains(event.target)) mail.focus(); });`,
  "the focusout of the modal": `box.addEventListener("focusout", (event) => { if (event.relatedTarget && !box.contains(event.relatedTarget)) event.target.focus(); });`,
  "Headless UI's focus of the window": `addEventListener("focus", (event) => { if (!(event.target instanceof HTMLElement) || !box.contains(event.target)) { event.preventDefault(); event.stopPropagation(); mail.focus({ preventScroll: true }); } }, true);`,
  "Angular's focus of the document": `document.addEventListener("focus", (event) => { if (!box.contains(event.target)) setTimeout(() => mail.focus()); }, true);`,
  "React Aria's focusout with the active element": `
    document.addEventListener("focusin", (event) => { if (!box.contains(event.target)) mail.focus(); });
    document.addEventListener("focusout", (event) => { if (box.contains(event.target)) requestAnimationFrame(() => { if (!box.contains(document.activeElement)) mail.focus(); }); });`,
  "MUI's interval": `document.addEventListener("focusin", (event) => { if (!box.contains(event.target)) mail.focus(); }); setInterval(() => { if (document.activeElement === document.body) mail.focus(); }, 50);`,
  "everything else inert": `for (const other of [...document.body.children, ...box.parentElement.children]) if (!other.contains(box)) { other.inert = true; other.ariaHidden = "true"; }`,
  "presses outside that are prevented": `for (const type of ["mousedown", "touchstart", "click"]) document.addEventListener(type, (event) => { if (!box.contains(event.target)) { event.preventDefault(); event.stopImmediatePropagation(); } }, true);`,
  "a press outside that closes it": `for (const type of ["pointerdown", "mousedown", "click"]) document.addEventListener(type, (event) => { if (!box.contains(event.target)) box.hidden = true; });`,
};

/** Two modal dialogs, `#modal` and `#second`, which close when their backdrop is pressed, as many do. */
export const DIALOGS = `<dialog id="modal" style="transform:translateX(10px);overflow:hidden"><p>Newsletter</p><input id="mail"><form method="dialog"><button id="close">Close</button></form></dialog>
  <dialog id="second"><p>Sure?</p><form method="dialog"><button id="no">No</button></form></dialog>
  ${inline(`for (const dialog of document.querySelectorAll("dialog")) dialog.onclick = ({ clientX, clientY }) => { const box = dialog.getBoundingClientRect(); if (clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom) dialog.close(); };`)}`;

/** Waits until the page's listeners do not get what is done in the bubble: the code for that comes with the visitor's interest. */
export const isolated = (page) =>
  page.waitForFunction(() => {
    let isHeard = false;
    const hear = () => (isHeard = true);
    document.addEventListener("touchcancel", hear, true);
    const panel = document.querySelector("[data-bulle]").shadowRoot.querySelector(".panel");
    panel.dispatchEvent(new Event("touchcancel", { bubbles: true, composed: true }));
    document.removeEventListener("touchcancel", hear, true);
    return !isHeard;
  });
