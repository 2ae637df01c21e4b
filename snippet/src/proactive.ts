/** Notes that come first: small cards above the launcher, for sites whose owner has written rules. */

/** `Rule` in protocol/src/loader.rs: what it names must all have happened. */
export interface Rule {
  text: string;
  delay_s?: number;
  scroll_percent?: number;
  exit_intent?: boolean;
  url?: string;
  ask?: string;
}

type Bubble = Record<string, ((text?: string) => void) | number>;

/** Watches for what the rules name; `dismiss` names the button that takes a note away. */
export const notes = (site: string, rules: Rule[], dismiss: string) => {
  const all = (window as { Bulle?: Record<string, Bubble> }).Bulle!;
  const bubble = all[site]!;
  /** Where the browser keeps that the visitor has seen to a note: they have all been seen then. */
  const key = "bulle-note:" + site;
  // The tag may run twice.
  if (bubble.noted || localStorage[key]) return;
  bubble.noted = 1;

  let at = 0;
  let time = 0;
  let depth = 0;
  let leaves: unknown;
  let isOver: unknown;

  const show = (frame: Element, { text, ask }: Rule) => {
    const launcher = frame.querySelector<HTMLElement>(".launcher")!;
    const make = (tag: string, style: string, properties: Partial<HTMLElement>) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.style.cssText = style;
      return element;
    };
    const end = () => {
      note.remove();
      localStorage[key] = 1;
    };
    const dismissed = () => {
      launcher.focus();
      end();
    };
    const note = make(
      "div",
      `position:fixed;z-index:var(--bulle-z,2147483000);bottom:calc(var(--bulle-bottom,20px) + var(--launcher,60px) + 14px);${frame.matches(".left") ? "left" : "right"}:var(--bulle-side,20px);display:flex;max-width:300px;background:var(--bg);color:var(--text);border:1px solid var(--bulle-line,#8884);border-radius:18px;box-shadow:0 8px 28px #0004`,
      { role: "status", onkeydown: ({ key }) => key == "Escape" && dismissed() },
    );
    launcher.before(note);
    new MutationObserver(() => frame.matches(".open") && end()).observe(frame, { attributes: true });
    // What is put into a live region that is there already is read out.
    setTimeout(() => {
      const shared = "min-width:44px;min-height:44px;border-radius:18px;";
      const follow = () => (bubble[ask ? "ask" : "open"] as (text?: string) => void)(ask);
      note.append(
        make("button", shared + "padding:10px 16px;text-align:start;overflow-wrap:anywhere", { textContent: text, dir: "auto", onclick: follow }),
        make("button", shared, { textContent: "✕", ariaLabel: dismiss, onclick: dismissed }),
      );
    });
  };

  const check = () => {
    // It was taken away; another one has rules of its own.
    if (all[site] != bubble) return;
    const frame = document.querySelector(`[data-bulle="${site}"]`)?.shadowRoot!.querySelector(".frame");
    for (const rule of rules) {
      if (
        frame &&
        // Who has found the bubble needs no note.
        !(isOver ||= frame.matches(".open")) &&
        // Nothing is less than what a rule does not name.
        !(performance.now() < rule.delay_s! * 1e3) &&
        !(depth < rule.scroll_percent!) &&
        (leaves || !rule.exit_intent) &&
        RegExp(`^${(rule.url ?? "*").replace(/\W/g, "\\$&").replace(/\\\*/g, ".*")}$`).test(location.pathname)
      ) {
        isOver = 1;
        show(frame, rule);
      }
    }
  };

  for (const { delay_s } of rules) setTimeout(check, delay_s! * 1e3);
  document.documentElement.addEventListener("mouseleave", ({ clientY }) => {
    leaves ||= clientY <= 0;
    check();
  });
  addEventListener("scroll", ({ timeStamp }) => {
    depth = Math.max(depth, ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100);
    // A finger cannot leave the page: it hurries to its top.
    leaves ||= at - scrollY > 2 * (timeStamp - time) && navigator.maxTouchPoints;
    at = scrollY;
    time = timeStamp;
    check();
  });
};
