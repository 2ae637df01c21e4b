/**
 * The conversation in a frame of the edge's own page, where the page around the bubble does not let the widget run. The
 * frame says that it is there; only then it gets a port, over which everything else goes. The page tells it how to look
 * and speak, and whether the panel is open. It hears of the frame what any page may know: that it is ready, how many
 * replies nobody has seen, and the names of its own buttons in the frame's language.
 */

import type { Owner } from "./api";
import type { asked } from "./identity";
import type { Shell } from "./shell";

/** How long the frame may take to say that it is there, in milliseconds. */
const PATIENCE = 20_000;

/** What comes from the frame: `tell` in snippet/src/hosted.ts. */
type Told =
  | ["ready"]
  | ["close"]
  | ["unread", number]
  | ["badge", count: number, words: string, locale: string]
  | ["drawn", locale: string, texts: Record<string, string>]
  | ["identity", number];

/** Custom properties that reach the frame, without `--bulle-`. The rest is the page's own side: places and sizes. */
const COLOURS = ["accent", "on-accent", "font"];
for (const name of ["bg", "soft", "line", "text", "muted"]) COLOURS.push(name, "dark-" + name);

const STYLES = `.body,.body iframe{display:block;width:100%;height:100%;border:0}
.panel:has(iframe) .header{position:absolute;top:0;inset-inline-end:0}
.panel:has(iframe) h2{display:none}
.cover a{display:block;margin-top:14px;color:inherit}`;

/** Makes it ready to be shown. `ask` is the main module's: importing it would make a module of its own for everybody. */
export const frame = (shell: Shell, owner: Owner, ask: typeof asked) => {
  const { config, look, root, panel, launcher, body, bubble, isOpen, signal } = shell;
  const [language, texts, edge, site, , , settings] = config;
  const address = `${edge}/c/${site}`;

  return (focus: boolean): boolean => {
    const { port1: port, port2 } = new MessageChannel();
    const say = (...call: unknown[]) => port.postMessage(call);
    const inner = document.createElement("iframe");
    inner.title = look.name;
    inner.allow = "autoplay; clipboard-write; microphone";
    // It draws nothing before it has heard how.
    inner.src = `${address}?frame=bubble&locale=${encodeURIComponent(look.locale ?? language)}`;

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
      look.frame = "";
      owner.carry({
        ask: (text) => say("ask", text),
        // The frame asks for a JWT when it needs one.
        identify: (who) => say("identify", who != null),
        focus() {
          inner.focus();
          say("focus");
        },
        changed: () => say("wishes", wishes(shell)),
        end: () => port.close(),
      });
      if (owner.who != null) say("identify", true);
      say("start", focus, words(shell), wishes(shell));
    };
    addEventListener("message", here, { signal });

    /** What the loader says that is not the tag's own. */
    let own: Record<string, string> = { ...texts, label: settings.label ?? "" };

    port.onmessage = async ({ data }: MessageEvent<Told>) => {
      const [kind, value] = data;
      if (kind == "close") bubble.close();
      if (kind == "badge") {
        const style = (css: string) => shell.dress(STYLES + css);
        import("./unread").then((part) => part.mark({ frame: shell.frame, style }, data[1], data[2], data[3])).catch((error) => console.error("[Bulle]", error));
      }
      if (kind == "drawn") {
        const [, locale, now] = data;
        for (const name in own) if (look[name] == own[name]) look[name] = now[name] ?? "";
        own = now;
        const { dir, label, textOpen, textClose } = look;
        Object.assign(root.host, { lang: locale, dir });
        panel.querySelector(".header>:last-child")!.ariaLabel = textClose;
        launcher.lastChild!.textContent = label;
        launcher.ariaLabel = isOpen() ? textClose : label || textOpen;
        // The frame counts anew.
        delete launcher.dataset.unread;
      }
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

/** The tag's own words. */
const words = ({ look, config }: Shell): Record<string, string> =>
  Object.fromEntries(
    Object.entries(look).filter(([name, value]) => /^(name|tagline|greeting|text[A-Z]\w*)$/.test(name) && value != config[1][name]),
  );

/** What can change at any time. The page's CSS is stronger than what tag and script have said, here as everywhere. */
const wishes = ({ look, root, isOpen, config }: Shell) => {
  const style = getComputedStyle(root.host);
  const theme: Record<string, string> = { scheme: look.scheme };
  for (const name of COLOURS) theme[name] = style.getPropertyValue("--bulle-" + name).trim();
  return { theme, locale: look.locale ?? config[0], isOpen: isOpen() };
};
