/**
 * The conversation in a frame of the edge's own page, where the page around the bubble does not let the widget run. The
 * frame says that it is there; only then it gets a port, over which everything else goes. The page hears of it what
 * any page may know: that it is ready, and how many replies nobody has seen.
 */

import type { Owner } from "./api";
import type { asked } from "./identity";
import type { Shell } from "./shell";

/** How long the frame may take to say that it is there, in milliseconds. */
const PATIENCE = 20_000;

/** What comes from the frame. */
type Told = ["ready"] | ["close"] | ["unread", number] | ["identity", number];

const STYLES = `.body,.body iframe{display:block;width:100%;height:100%;border:0}
.panel:has(iframe) .header{position:absolute;top:0;inset-inline-end:0}
.panel:has(iframe) h2{display:none}
.cover a{display:block;margin-top:14px;color:inherit}`;

/** Makes it ready to be shown. `ask` is the main module's: importing it would make a module of its own for everybody. */
export const frame = (shell: Shell, owner: Owner, ask: typeof asked) => {
  const { config, look, body, bubble, signal } = shell;
  const [, , edge, site] = config;
  const address = `${edge}/c/${site}`;

  return (focus: boolean): boolean => {
    const { port1: port, port2 } = new MessageChannel();
    const say = (...call: unknown[]) => port.postMessage(call);
    const inner = document.createElement("iframe");
    inner.title = look.name;
    inner.allow = `clipboard-write; microphone`;
    inner.src = `${address}?frame&locale=${encodeURIComponent(look.locale ?? config[0])}`;

    const lost = () => {
      const cover = document.createElement("div");
      cover.className = "cover";
      const text = document.createElement("p");
      text.role = "alert";
      text.textContent = look.textUnavailable;
      const link = document.createElement("a");
      link.href = address;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = look.textOpen;
      cover.append(text, link);
      body.replaceChildren(cover);
    };
    const timer = setTimeout(lost, PATIENCE);
    // Frames may be refused, too.
    const refused = ({ disposition, blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
      if (disposition != "enforce" || effectiveDirective != "frame-src" || !blockedURI.startsWith(edge)) return;
      clearTimeout(timer);
      lost();
    };
    document.addEventListener("securitypolicyviolation", refused, { signal });

    const here = ({ source, origin, data }: MessageEvent) => {
      if (source != inner.contentWindow || origin != edge || data != "bulle") return;
      clearTimeout(timer);
      inner.contentWindow!.postMessage("bulle", edge, [port2]);
      removeEventListener("message", here);
      owner.carry({
        ask: (text) => say("ask", text),
        // The frame asks for a JWT when it needs one.
        identify: (who) => say("identify", who != null),
        focus() {
          inner.focus();
          say("focus");
        },
        end: () => port.close(),
      });
      if (owner.who != null) say("identify", true);
      say("start", focus, colours(shell));
    };
    addEventListener("message", here, { signal });

    port.onmessage = async ({ data: [kind, value] }: MessageEvent<Told>) => {
      if (kind == "close") bubble.close();
      if (kind == "ready") owner.emit("ready", {});
      if (kind == "unread") owner.emit("unread", { count: value });
      if (kind == "identity") {
        let jwt: string | null | undefined;
        let failed = false;
        try {
          jwt = await ask(owner.who);
        } catch (error) {
          failed = true;
          console.error("[Bulle] identify", error);
        }
        say("identity", value, failed, jwt ? jwt + "" : "");
      }
    };
    signal.addEventListener("abort", () => clearTimeout(timer));
    shell.dress(STYLES);
    body.replaceChildren(inner);
    return true;
  };
};

/** What the page has said of the looks, for the frame to look the same. */
const colours = ({ look }: Shell): Record<string, string> => {
  const entries = Object.entries(look).filter(([name, value]) => typeof value == "string" && !/^(text.|name|tagline|label|dir|locale|frame|identity)/.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
};
