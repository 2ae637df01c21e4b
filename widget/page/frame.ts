/**
 * The conversation in a frame of the edge's hosted page, for pages whose policy does not let the widget run. The frame
 * reports that it is loaded; only then it gets a port, which carries all further messages. The page sends it theme,
 * language and whether the panel is open. The frame sends only what any page may know: that it is ready, the number of
 * unread replies, and the names of the launcher's buttons in the frame's language.
 */

import type { requestJwt } from "./identity";
import type { OwnerApi, Shell } from "./shell";

/** How long the frame may take to load, in milliseconds. */
const LOAD_TIMEOUT = 20_000;

/** A message from the frame: `post` in snippet/src/hosted.ts. */
type FrameMessage =
  | ["ready"]
  | ["close"]
  | ["unread", number]
  | ["badge", count: number, words: string, locale: string]
  | ["drawn", locale: string, texts: Record<string, string>]
  | ["identity", number];

/** Custom properties that are sent to the frame, without `--bulle-`. The others, places and sizes, concern the page alone. */
const COLOURS = ["accent", "on-accent", "font"];
for (const name of ["bg", "soft", "line", "text", "muted", "danger"]) COLOURS.push(name, "dark-" + name);

/** How long a frame whose page has loaded may take to report it, in milliseconds. The report usually comes first. */
const REPORT_TIMEOUT = 2_000;

/** What the address of the hosted page ends with for a page that isolates itself in a browser without `credentialless`. */
const ISOLATED = "&isolated";

const STYLES = `.body iframe{flex:1;width:100%;border:0}
.composer+iframe{display:none}
.panel:has(.body>iframe:only-child) .header{position:absolute;top:0;inset-inline-end:0}
.panel:has(.body>iframe:only-child) h2{display:none}
.open .launcher:before{clip-path:polygon(2px 8px,4px 6px,12px 14px,20px 6px,22px 8px,12px 18px)}
.cover a{display:block;margin-top:14px;color:inherit}`;

/** Returns the function that fills the panel with the frame. `getJwt` comes from the main module: an import would split it into a chunk that every visitor fetches. */
export const frame = (shell: Shell, api: OwnerApi, getJwt: typeof requestJwt) => {
  const { config, look, root, panel, launcher, body, bubble, isOpen, signal } = shell;
  const [language, texts, edge, site, , settings] = config;
  const address = `${edge}/c/${site}`;

  return (focus: boolean): boolean => {
    const { port1: port, port2 } = new MessageChannel();
    const post = (...message: unknown[]) => port.postMessage(message);
    const inner = document.createElement("iframe");
    inner.title = look.name;
    inner.allow = "autoplay; clipboard-write; microphone";
    // With `frame=bubble` the hosted page draws nothing before it gets its options.
    inner.src = `${address}?frame=bubble&locale=${encodeURIComponent(look.locale ?? language)}`;

    const showUnavailable = () => {
      stopWaiting();
      const text = document.createElement("p");
      text.role = "alert";
      text.textContent = look.textUnavailable;
      const link = document.createElement("a");
      link.href = address;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = look.textOpen;
      // The text field stays, with what is written in it.
      body.querySelector(".cover")!.replaceChildren(text, link);
      inner.remove();
    };
    const timer = setTimeout(showUnavailable, LOAD_TIMEOUT);
    let reportTimer: ReturnType<typeof setTimeout> | undefined;
    const stopWaiting = () => {
      for (const each of [timer, reportTimer]) clearTimeout(each);
      inner.onload = inner.onerror = null;
    };
    // The browser has loaded an error page instead of the hosted page, and does not say why. A page that isolates itself
    // (`Cross-Origin-Embedder-Policy`) frames only what does the same; what leaves the images free, WebKit does not know.
    const onRefused = () => {
      clearTimeout(reportTimer);
      if (inner.src.endsWith(ISOLATED)) showUnavailable();
      else inner.src += ISOLATED;
    };
    inner.onload = () => {
      reportTimer = setTimeout(onRefused, REPORT_TIMEOUT);
    };
    inner.onerror = onRefused;
    // The policy may refuse frames too.
    const onViolation = ({ disposition, blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
      if (disposition == "enforce" && effectiveDirective == "frame-src" && blockedURI.startsWith(edge)) showUnavailable();
    };
    document.addEventListener("securitypolicyviolation", onViolation, { signal });

    const onLoaded = ({ source, origin, data }: MessageEvent) => {
      if (source != inner.contentWindow || origin != edge || data != "bulle") return;
      stopWaiting();
      inner.contentWindow!.postMessage("bulle", edge, [port2]);
      removeEventListener("message", onLoaded);
      look.frame = "";
      api.connect({
        ask: (text) => post("ask", text),
        // The frame requests the JWT when it needs one.
        identify: (identity) => post("identify", identity != null),
        focus() {
          inner.focus();
          post("focus");
        },
        changed: () => post("wishes", frameOptions(shell)),
        end: () => port.close(),
      });
      if (api.identity != null) post("identify", true);
      post("start", focus, tagTexts(shell), frameOptions(shell));
    };
    addEventListener("message", onLoaded, { signal });

    /** Gives the frame, which has a text field of its own by now, what is written in the loader's. */
    const handOver = () => {
      const field = body.querySelector<HTMLTextAreaElement>(".composer textarea");
      if (!field) return;
      // An input method is composing: its text is not in the field yet.
      if (isComposing) return void field.addEventListener("compositionend", () => setTimeout(handOver), { once: true });
      const { value, selectionStart, selectionEnd } = field;
      const hadFocus = root.activeElement == field;
      // A frame that is moved loads anew.
      while (inner.previousSibling) inner.previousSibling.remove();
      if (hadFocus) inner.focus();
      post("draft", value, selectionStart, selectionEnd, hadFocus);
    };
    let isComposing = false;
    for (const kind of ["compositionstart", "compositionend"]) body.addEventListener(kind, () => (isComposing = kind == "compositionstart"), { capture: true, signal });

    /** The texts of the loader in its language; those that the tag sets are not replaced by the frame's. */
    let loaderTexts: Record<string, string> = { ...texts, label: settings.label ?? "" };

    port.onmessage = async ({ data }: MessageEvent<FrameMessage>) => {
      const [kind, value] = data;
      if (kind == "close") bubble.close();
      if (kind == "badge") {
        const style = (css: string) => shell.setStyle(STYLES + css);
        import("./unread").then((module) => module.mark({ frame: shell.frame, style }, data[1], data[2], data[3])).catch((error) => console.error("[Bulle]", error));
      }
      if (kind == "drawn") {
        const [, locale, now] = data;
        for (const name in loaderTexts) if (look[name] == loaderTexts[name]) look[name] = now[name] ?? "";
        loaderTexts = now;
        const { dir, label, textOpen, textClose } = look;
        Object.assign(root.host, { lang: locale, dir });
        panel.querySelector(".header>:last-child")!.ariaLabel = textClose;
        launcher.lastChild!.textContent = label;
        launcher.ariaLabel = isOpen() ? textClose : label || textOpen;
        // The redrawn frame starts its count of unread replies again.
        delete launcher.dataset.unread;
        handOver();
      }
      if (kind == "ready") api.emit("ready", {});
      if (kind == "unread") api.emit("unread", { count: value });
      if (kind == "identity") {
        let jwt: string | null | undefined;
        let failed = false;
        try {
          jwt = await getJwt(api.identity);
        } catch (error) {
          failed = true;
          console.error("[Bulle] identify", error);
        }
        post("identity", value, failed, jwt ? jwt + "" : "");
      }
    };
    signal.addEventListener("abort", stopWaiting);
    shell.setStyle(STYLES);
    body.append(inner);
    return true;
  };
};

/** The texts that the tag sets. */
const tagTexts = ({ look, config }: Shell): Record<string, string> =>
  Object.fromEntries(
    Object.entries(look).filter(([name, value]) => /^(name|tagline|greeting|text[A-Z]\w*)$/.test(name) && value != config[1][name]),
  );

/** The options that can change at any time. The page's CSS takes precedence over the tag and the script, as everywhere. */
const frameOptions = ({ look, root, isOpen, config }: Shell) => {
  const style = getComputedStyle(root.host);
  const theme: Record<string, string> = { scheme: look.scheme };
  for (const name of COLOURS) theme[name] = style.getPropertyValue("--bulle-" + name).trim();
  return { theme, locale: look.locale ?? config[0], isOpen: isOpen() };
};
