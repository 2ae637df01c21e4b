/** The menu: a sheet over the conversation with earlier conversations, settings, export and erasure. */

import { loadTexts, type Translate } from "./i18n";
import { isMuted, setMuted } from "./mute";
import type { Panel } from "./panel";
import { relativeTime } from "./relative-time";

/** The fields of `Conversation` (protocol/src/conversation.rs) that the menu reads. */
interface ConversationItem {
  id: string;
  title: string;
  updated_at: number;
}

const BACK = "M19 12H5M11 6l-6 6 6 6";
const NEW = "M12 5v14M5 12h14";
const RENAME = "M4 20l1-4L16 5l3 3L8 19z";
const DELETE = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13";
const EXPORT = "M12 4v11M7 10.5l5 5 5-5M5 20h14";
const SOUND = "M4 10v4h4l5 4V6L8 10zM17 9a4 4 0 0 1 0 6";
const SILENT = "M4 10v4h4l5 4V6L8 10zM17 10l4 4M21 10l-4 4";
const PRINT = "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z";
const PAGE = "M13 5h6v6M19 5l-8 8M17 14v5H5V7h5";
const PRIVACY = "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z";
const ERASE = "M9 5h11v14H9l-6-7zM12 10l5 5M17 10l-5 5";

const CSS = `.body{position:relative;overflow:clip}
.sheet{position:absolute;inset:0;z-index:1;display:flex;flex-direction:column;background:var(--bg);animation:sheet .22s cubic-bezier(.2,.9,.3,1)}
@keyframes sheet{from{opacity:0;transform:translateY(14px)}}
.sheet:focus{outline:0}
.sheet .top{display:flex;align-items:center;gap:4px;padding:8px 12px 4px}
.sheet h3{font-size:16px;font-weight:650}
.sheet h4{margin:14px 12px 4px;color:var(--muted);font-size:13px;font-weight:600}
.sheet .all{flex:1;overflow-y:auto;overscroll-behavior:contain;touch-action:pan-y;padding:4px 8px 16px;overflow-wrap:anywhere;scrollbar-width:thin;scrollbar-color:var(--line) transparent}
.sheet ul{padding:0;list-style:none}
.sheet .tool:hover{background:var(--soft);color:var(--text)}
:host([dir=rtl]) .sheet .top .icon{transform:scaleX(-1)}
.sheet .do{display:flex;align-items:center;gap:12px;width:100%;min-height:44px;padding:8px 12px;border-radius:var(--inner,12px);color:var(--text);text-align:start;text-decoration:none}
.sheet .do:hover,.sheet li:hover:not(.asks){background:var(--soft)}
.sheet .do .icon{flex:none;width:20px;height:20px;color:var(--muted)}
.sheet .first{border:1px solid var(--line);font-weight:550;color:var(--ink)}
.sheet .first .icon{color:inherit}
.sheet .danger,.sheet .danger .icon{color:var(--danger)}
.sheet li{border:1px solid transparent;border-radius:12px}
.sheet .row{display:flex;align-items:center}
.sheet .row .do{min-width:0;flex:1;flex-direction:column;align-items:stretch;gap:0}
.sheet .row .do:hover{background:none}
.sheet .title{overflow:hidden;white-space:nowrap;text-overflow:ellipsis}
.sheet time{color:var(--muted);font-size:13px}
.sheet .row .tool{flex:none;width:36px;height:36px}
.sheet .row .tool .icon{width:18px;height:18px}
.sheet .row .tool:hover{background:var(--bg)}
.sheet [aria-current] .title{font-weight:650;color:var(--ink)}
.sheet li:has([aria-current]){background:color-mix(in srgb,var(--accent) 10%,var(--bg))}
.sheet .asks{padding:12px;margin:4px 0;border:1px solid var(--line);border-radius:12px}
.sheet .asks form{display:block}
.sheet label{display:block;margin-bottom:4px;color:var(--muted);font-size:13px}
.sheet input{width:100%;min-height:40px;padding:6px 12px;border:1px solid var(--muted);border-radius:10px;background:var(--bg);color:inherit;font:inherit;font-size:16px}
.sheet .answers{display:flex;flex-wrap:wrap;gap:8px;margin-top:10px}
.sheet .answers button{min-height:40px;padding:6px 16px;border:1px solid var(--line);border-radius:12px;font-weight:550}
.sheet .answers button:hover{border-color:currentColor}
.sheet .answers .yes{border-color:transparent;background:var(--accent);color:var(--on-accent)}
.sheet .answers .red{border-color:transparent;background:var(--danger);color:var(--bg)}
.sheet .answers [aria-disabled=true]{opacity:.6;cursor:default}
.sheet .said{margin:4px 12px;font-size:14px}
.sheet .said:not(:empty){padding:8px 12px;border:1px solid var(--line);border-radius:12px;background:var(--soft)}
.sheet .none{padding:8px 12px;color:var(--muted)}
.sheet hr{margin:12px}
@media(pointer:coarse){.sheet .row .tool,.sheet .answers button,.sheet input{min-width:44px;min-height:44px}}
@media print{.sheet{display:none}}
@media(forced-colors:active){.sheet [aria-current] .title{text-decoration:underline}.sheet .answers button{border-color:ButtonText!important}}
`;

const styled = new WeakSet<Panel>();

/** Panels whose visitor is erasing everything: there the sheet stays open and reports it. */
const erasing = new WeakSet<Panel>();

/** By panel: called once the whole conversation is loaded for printing, or could not be. */
const onWhole = new WeakMap<Panel, (whole: boolean) => void>();

/** By panel: closes its open sheet. The focus returns to the menu button unless `focus` is false. */
const closers = new WeakMap<Panel, (focus?: boolean) => void>();

/** Toggles the sheet. */
export const menu = (panel: Panel, opener: HTMLElement): void => {
  const closeOpen = closers.get(panel);
  if (closeOpen) return closeOpen();
  if (!styled.has(panel)) {
    panel.style(CSS);
    // When the visitor changes, the sheet with the data of the visitor before closes.
    panel.listeners.push((kind) => kind == "forget" && !erasing.has(panel) && closers.get(panel)?.(false));
    panel.listeners.push((kind, detail) => kind == "whole" && setTimeout(() => onWhole.get(panel)?.(detail == "true")));
  }
  styled.add(panel);

  const { make, frame, body, bot, root } = panel;
  const sheet = make("div", "sheet", { role: "region", "aria-label": bot.strings.menu!, tabindex: "-1" });
  const behind = [...body.children] as HTMLElement[];

  const close = (focus = true) => {
    closers.delete(panel);
    watcher.disconnect();
    frame.removeEventListener("keydown", escape, true);
    for (const part of behind) part.inert = false;
    opener.setAttribute("aria-expanded", "false");
    sheet.remove();
    if (focus) opener.focus();
  };
  // In the capture phase: before the handler of the loader, which would close the panel.
  const escape = (event: KeyboardEvent) => {
    if (event.key != "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const cancel = sheet.querySelector<HTMLElement>("[data-cancel]");
    if (cancel) cancel.click();
    else close();
  };
  // Closing the panel closes the sheet, so that the panel opens with the conversation.
  const watcher = new MutationObserver(() => frame.classList.contains("open") || close(false));
  watcher.observe(frame, { attributeFilter: ["class"] });
  frame.addEventListener("keydown", escape, true);
  closers.set(panel, close);
  for (const part of behind) part.inert = true;
  opener.setAttribute("aria-expanded", "true");
  body.append(sheet);
  sheet.focus();

  const fill = async () => {
    sheet.replaceChildren(make("div", "cover wait", {}, make("i"), make("i"), make("i")));
    try {
      const text = await loadTexts(panel);
      sheet.replaceChildren(...content(panel, text, close));
    } catch {
      const retry = make("button", "retry", {}, panel.again);
      retry.onclick = () => {
        sheet.focus();
        void fill();
      };
      const actions = make("div", "ways", {}, retry);
      sheet.replaceChildren(make("div", "cover", {}, make("p", "", { role: "alert" }, panel.unavailable), actions));
      return;
    }
    if (root.activeElement == sheet) sheet.querySelector("button")?.focus();
  };
  void fill();
};

const content = (panel: Panel, text: Translate, close: (focus?: boolean) => void): Node[] => {
  const { make, icon, bot, edge, site, body } = panel;
  const features = bot.features ?? {};

  const tool = (d: string, name: string) => make("button", "tool", { "aria-label": name, title: name }, icon(d));
  const button = (d: string, name: string, kind = "do") => make("button", kind, {}, icon(d), make("span", "", {}, name));
  const link = (d: string, name: string, href: string) => {
    const hint = make("span", "sr", {}, ` (${bot.strings.new_window})`);
    return make("a", "do", { href, target: "_blank", rel: "noopener" }, icon(d), make("span", "", {}, name, hint));
  };
  const status = make("p", "said", { role: "status" });
  const say = (words: string) => {
    // Cleared first, so that a repeated text is announced again.
    status.textContent = "";
    requestAnimationFrame(() => (status.textContent = words));
  };
  /** Closes the sheet and puts the focus into the conversation. */
  const toConversation = () => {
    close(false);
    body.querySelector<HTMLElement>("[data-first]")?.focus();
  };
  const isOk = (status: number) => status >= 200 && status < 300;

  /** Replaces `place` with a question and its two buttons. `action` returns whether it succeeded; `cancelled` restores `place`. */
  const confirm = (
    place: HTMLElement,
    question: Node[],
    yes: string,
    kind: string,
    action: () => Promise<boolean>,
    cancelled: () => void,
  ) => {
    const accept = make("button", kind, { type: "submit" }, yes);
    const cancel = make("button", "", { type: "button", "data-cancel": "" }, text("cancel"));
    const form = make("form", "", {}, ...question, make("div", "answers", {}, accept, cancel));
    cancel.onclick = cancelled;
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (accept.ariaDisabled) return;
      accept.ariaDisabled = "true";
      const done = await action();
      accept.ariaDisabled = null;
      if (!done) say(text("not_done"));
    };
    place.replaceChildren(form);
    place.classList.add("asks");
    (form.querySelector("input") ?? cancel).focus();
  };

  const list = make("ul", "", { role: "list", "aria-label": text("conversations") });
  const heading = make("h4", "", { tabindex: "-1" }, text("conversations"));

  const row = (conversation: ConversationItem): HTMLElement => {
    const { id, updated_at } = conversation;
    const item = make("li");
    const draw = (focus?: "rename" | "remove") => {
      item.classList.remove("asks");
      const name = conversation.title || text("untitled");
      const time = make("time", "", { datetime: new Date(updated_at).toISOString() }, relativeTime(updated_at, bot.locale));
      const open = make("button", "do", {}, make("span", "title", {}, make("bdi", "", {}, name)), time);
      if (isCurrent(panel, id)) open.ariaCurrent = "true";
      open.onclick = () => {
        if (!isCurrent(panel, id)) panel.handle()?.command("show", id);
        toConversation();
      };
      const buttons = { rename: tool(RENAME, `${text("rename")}: ${name}`), remove: tool(DELETE, `${text("delete")}: ${name}`) };
      buttons.rename.onclick = () => {
        const input = make("input", "", { value: conversation.title, maxlength: "120", required: "", dir: "auto" });
        const rename = async () => {
          const title = input.value.trim();
          const { status } = await panel.call("PATCH", `/v1/conversations/${id}`, JSON.stringify({ title }));
          if (!isOk(status)) return false;
          conversation.title = title;
          draw("rename");
          return true;
        };
        confirm(item, [make("label", "", {}, text("title_label"), input)], text("save"), "yes", rename, () => draw("rename"));
        input.select();
      };
      buttons.remove.onclick = () => {
        const remove = async () => {
          const { status } = await panel.call("DELETE", `/v1/conversations/${id}`);
          // 404: it is deleted already, which is what the visitor wants.
          if (!isOk(status) && status != 404) return false;
          if (isCurrent(panel, id)) panel.handle()?.command("new", "");
          item.remove();
          if (!list.childElementCount) list.replaceWith(make("p", "none", {}, text("conversations_empty")));
          say(text("deleted"));
          heading.focus();
          return true;
        };
        const question = make("p", "", {}, make("strong", "", { dir: "auto" }, name), make("br"), text("delete_ask"));
        confirm(item, [question], text("delete"), "red", remove, () => draw("remove"));
      };
      item.replaceChildren(make("div", "row", {}, open, buttons.rename, buttons.remove));
      if (focus) buttons[focus].focus();
    };
    draw();
    return item;
  };

  const load = async () => {
    list.replaceChildren();
    list.ariaBusy = "true";
    const { status, body } = await panel.call("GET", "/v1/conversations");
    list.ariaBusy = null;
    if (isOk(status)) {
      const { items } = JSON.parse(body) as { items: ConversationItem[] };
      if (items.length) list.replaceChildren(...items.map(row));
      else list.replaceWith(make("p", "none", {}, text("conversations_empty")));
    } else {
      const retry = make("button", "retry", {}, panel.again);
      retry.onclick = () => {
        heading.focus();
        void load();
      };
      list.replaceChildren(make("li", "none", {}, make("p", "", { role: "alert" }, text("not_done")), retry));
    }
  };

  const back = tool(BACK, text("back"));
  back.onclick = () => close();
  const newConversation = button(NEW, bot.strings.new_conversation!, "do first");
  newConversation.onclick = () => {
    panel.handle()?.command("new", "");
    toConversation();
  };
  const all = make("div", "all", {}, newConversation);
  if (features.history != false) {
    all.append(heading, list);
    void load();
  }
  all.append(make("hr"));

  if (features.sound) {
    const sound = make("button", "do");
    const draw = () => {
      const muted = isMuted(panel);
      sound.replaceChildren(panel.icon(muted ? SILENT : SOUND), text(muted ? "sound_on" : "sound_off"));
    };
    sound.onclick = () => {
      setMuted(panel, !isMuted(panel));
      draw();
    };
    draw();
    all.append(sound);
  }

  if (features.export != false) {
    const download = button(EXPORT, text("export"));
    download.onclick = async () => {
      if (download.ariaBusy) return;
      download.ariaBusy = "true";
      const { status, body } = await panel.call("GET", "/v1/me/export");
      download.ariaBusy = null;
      if (!isOk(status)) return say(text("not_done"));
      const href = URL.createObjectURL(new Blob([body], { type: "application/json" }));
      make("a", "", { href, download: site + ".json" }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
    };
    all.append(download);
  }

  const page = `${edge}/c/${site}`;
  if (location.href.startsWith(page)) {
    if (window == top) {
      const print = button(PRINT, text("print"));
      print.onclick = () => {
        print.ariaBusy = "true";
        onWhole.set(panel, (whole) => {
          print.ariaBusy = null;
          // The visitor has closed the sheet meanwhile.
          if (!print.isConnected) return;
          if (!whole) return say(text("not_done"));
          toConversation();
          window.print();
        });
        panel.handle()?.command("all", "");
      };
      all.append(print);
    }
  } else {
    all.append(link(PAGE, text("full_page"), page));
  }
  if (/^https?:/.test(bot.privacy_url ?? "")) all.append(link(PRIVACY, bot.strings.privacy!, bot.privacy_url!));

  const place = make("div");
  const drawErase = (focus = true) => {
    const erase = button(ERASE, text("erase"), "do danger");
    erase.onclick = () => {
      const eraseAll = async () => {
        const { visitor } = panel;
        const { status } = await panel.call("DELETE", "/v1/me");
        if (!isOk(status)) return false;
        erasing.add(panel);
        panel.handle()?.command("forget", "");
        erasing.delete(panel);
        forget(panel);
        panel.erased(visitor);
        drawErase(false);
        heading.remove();
        list.replaceWith(make("p", "none", {}, text("conversations_empty")));
        all.scrollTop = 0;
        say(text("erased"));
        back.focus();
        return true;
      };
      confirm(place, [make("p", "", {}, text("erase_ask"))], text("erase_yes"), "red", eraseAll, drawErase);
    };
    place.classList.remove("asks");
    place.replaceChildren(erase);
    if (focus) erase.focus();
  };
  drawErase(false);
  all.append(place);

  return [make("div", "top", {}, back, make("h3", "", {}, bot.strings.menu!)), status, all];
};

/** Whether this conversation is on the screen: the edge was last asked about it, and it has a message of the visitor. */
const isCurrent = (panel: Panel, id: string) => panel.current == id && !!panel.root.querySelector(".mine");

/** Removes everything that the browser stores for this site key. */
const forget = ({ site }: Panel) => {
  for (const name of ["localStorage", "sessionStorage"] as const) {
    try {
      const storage = window[name];
      for (const key of Object.keys(storage)) {
        if (key.startsWith("bulle") && key.endsWith(":" + site)) storage.removeItem(key);
      }
    } catch {}
  }
};
