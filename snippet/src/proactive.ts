/** Proactive notes: small cards above the launcher, for sites whose owner has written rules. */

/** `Rule` in protocol/src/loader.rs. A note is shown when all conditions that its rule names are met. */
export interface Rule {
  text: string;
  delay_s?: number;
  scroll_percent?: number;
  exit_intent?: boolean;
  url?: string;
  ask?: string;
}

interface NotedBubble {
  open(byVisitor?: string): void;
  ask(text: string): void;
  destroy(): void;
  /** Set once the notes are watched for. */
  noted?: number;
}

/** Watches for the conditions of the rules; `dismiss` is the label of the button that closes a note. */
export const showNotes = (site: string, rules: Rule[], dismiss: string) => {
  const all = (window as { Bulle?: Record<string, NotedBubble> }).Bulle!;
  const bubble = all[site]!;
  /** The storage key for: the visitor has answered or closed a note. No note is shown afterwards. */
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
    // Screen readers announce what is added to a live region after it exists.
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
    // A visitor who has opened the panel needs no note.
    if (frame?.matches(".open")) stop();
    for (const rule of rules) {
      if (
        frame &&
        !watch.signal.aborted &&
        // A comparison with undefined is false, so a condition that the rule does not name is met.
        !(performance.now() < rule.delay_s! * 1e3) &&
        !(depth < rule.scroll_percent!) &&
        (leaves || !rule.exit_intent) &&
        RegExp(`^${(rule.url ?? "*").replace(/\W/g, "\\$&").replace(/\\\*/g, ".*")}$`).test(location.pathname)
      ) {
        stop();
        show(frame, rule);
      }
    }
  };

  const watch = new AbortController();
  const timers = rules.map(({ delay_s }) => setTimeout(check, delay_s! * 1e3));
  /** Stops watching: a note was shown, the panel was opened, or the bubble was removed. */
  const stop = () => {
    watch.abort();
    timers.map(clearTimeout);
  };
  const { destroy } = bubble;
  bubble.destroy = () => {
    stop();
    destroy();
  };

  // The URL may change without a page load. A browser without the Navigation API reports only `popstate`; there the timers
  // and the other listeners check the URL too.
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
      // Touch has no `mouseleave`: the exit intent is a fast scroll towards the top.
      leaves ||= at - scrollY > 2 * (timeStamp - time) && navigator.maxTouchPoints;
      at = scrollY;
      time = timeStamp;
      check();
    },
    watch,
  );
};
