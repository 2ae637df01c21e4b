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

interface Bubble {
  open(byVisitor?: string): void;
  ask(text: string): void;
  destroy(): void;
  /** It has its notes. */
  noted?: number;
}

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

  const show = (frame: Element, { text, ask }: Rule) => {
    const launcher = frame.querySelector<HTMLElement>(".launcher")!;
    const make = (tag: string, style: string, properties: Partial<HTMLElement>) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.style.cssText = style;
      return element;
    };
    const end = () => {
      note.remove();
      // Storage may be full, or blocked by now.
      try {
        localStorage[key] = 1;
      } catch {}
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
      const follow = () => bubble[ask ? "ask" : "open"](ask!);
      note.append(
        make("button", shared + "padding:10px 16px;text-align:start;overflow-wrap:anywhere", { textContent: text, dir: "auto", onclick: follow }),
        make("button", shared, { textContent: "✕", ariaLabel: dismiss, onclick: dismissed }),
      );
    });
  };

  const check = () => {
    const frame = document.querySelector(`[data-bulle="${site}"]`)?.shadowRoot!.querySelector(".frame");
    // Who has found the bubble needs no note.
    if (frame?.matches(".open")) over();
    for (const rule of rules) {
      if (
        frame &&
        !watch.signal.aborted &&
        // Nothing is less than what a rule does not name.
        !(performance.now() < rule.delay_s! * 1e3) &&
        !(depth < rule.scroll_percent!) &&
        (leaves || !rule.exit_intent) &&
        RegExp(`^${(rule.url ?? "*").replace(/\W/g, "\\$&").replace(/\\\*/g, ".*")}$`).test(location.pathname)
      ) {
        over();
        show(frame, rule);
      }
    }
  };

  const watch = new AbortController();
  const timers = rules.map(({ delay_s }) => setTimeout(check, delay_s! * 1e3));
  /** A note has come, or the bubble has been found or taken away: nothing is waited for any more. */
  const over = () => {
    watch.abort();
    timers.map(clearTimeout);
  };
  const { destroy } = bubble;
  bubble.destroy = () => {
    over();
    destroy();
  };

  // The address may change without a new page. A browser without `navigation` tells of the way back only: there, the
  // timers and the other listeners look at it, too.
  (window as { navigation?: EventTarget }).navigation?.addEventListener("currententrychange", check, watch);
  addEventListener("popstate", check, watch);
  document.documentElement.addEventListener(
    "mouseleave",
    ({ clientY }) => {
      leaves ||= clientY <= 0;
      check();
    },
    watch,
  );
  addEventListener(
    "scroll",
    ({ timeStamp }) => {
      depth = Math.max(depth, ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100);
      // A finger cannot leave the page: it hurries to its top.
      leaves ||= at - scrollY > 2 * (timeStamp - time) && navigator.maxTouchPoints;
      at = scrollY;
      time = timeStamp;
      check();
    },
    watch,
  );
};
