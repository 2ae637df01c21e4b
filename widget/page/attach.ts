/** Files for the next message: chosen, pasted or dropped; read by the edge at once, sent with the message. */

import type { Panel } from "./parts";
import { texts } from "./texts";

/** The edge takes no more; see `POST /v1/attachments`. */
const MAX_FILES = 3;
const MAX_MB = 5;

/** What the edge reads, by the ends of names: docs/formats.md. */
const KINDS = ["pdf", "docx", "txt", "md", "html", "csv", "json"];

/** The statuses of `body_too_large` and `invalid_value`. */
const TOO_LARGE = 413;
const UNREADABLE = 422;

const CLIP = "M20 11.5l-8.2 8a5 5 0 0 1-7-7L13.5 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.3a1.7 1.7 0 0 1-2.4-2.4L15 7";
const CROSS = "M7 7l10 10M17 7 7 17";

const CSS = `.clip{display:grid;flex:none;place-items:center;width:36px;height:36px;border-radius:50%;color:var(--muted)}
.clip:hover{background:var(--line);color:var(--text)}
.clip .icon{width:20px;height:20px}
.files{display:grid;gap:6px;padding:0;margin-bottom:8px;list-style:none}
.files:empty{display:none}
.files li{display:flex;align-items:center;gap:10px;padding:6px 6px 6px 12px;padding-inline:12px 6px;border:1px solid var(--line);border-radius:12px;font-size:13px;line-height:1.4}
.files .about{flex:1;min-width:0}
.files .name{display:block;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;font-weight:550}
.files .size{color:var(--muted)}
.files progress{display:block;width:100%;height:4px;margin-top:4px;accent-color:var(--ink)}
.files .wrong{border-color:var(--danger)}
.files .wrong .size{color:var(--danger)}
.files .tool{flex:none;width:32px;height:32px;border-radius:10px}
.files .tool .icon{width:18px;height:18px}
.files .retry{min-height:32px;padding:2px 12px;border-radius:10px}
.filesaid{margin-bottom:6px;font-size:13px;font-weight:550;color:var(--danger)}
.filesaid:empty{display:none}
.waits{color:inherit}
.dropping .app{outline:2px dashed var(--ink);outline-offset:-6px;border-radius:16px}
@media(pointer:coarse){.clip,.panel .files .tool{width:44px;height:44px}.files .retry{min-height:44px}}
`;

interface Attachment {
  id: string;
  name: string;
  bytes: number;
}

/** A file that the visitor has given: on its way until `read` is there or `wrong` says why it is not. */
interface Given {
  file: File;
  item: HTMLElement;
  read?: Attachment;
  wrong?: boolean;
}

/** Adds the button to the composer, and takes what is pasted and dropped. */
export const attach = async (panel: Panel): Promise<void> => {
  const { make, icon, root, body, bot } = panel;
  const text = await texts(panel);
  panel.style(CSS);
  const composer = body.querySelector<HTMLElement>(".composer")!;
  const row = composer.querySelector<HTMLElement>(".field")!;
  const field = row.querySelector("textarea")!;
  const whole = root.querySelector<HTMLElement>(".panel")!;

  const accept = KINDS.map((kind) => "." + kind).join();
  const input = make("input", "", { type: "file", multiple: "", accept, hidden: "" });
  const button = make("button", "clip", { type: "button", "aria-label": text("attach"), title: text("attach") }, icon(CLIP));
  const list = make("ul", "files", { role: "list", "aria-label": text("attach") });
  const said = make("p", "filesaid", { role: "alert" });
  button.onclick = () => input.click();
  row.prepend(button);
  row.before(list, said);
  composer.append(input);

  const tell = (words: string, waits = false) => {
    said.classList.toggle("waits", waits);
    said.textContent = words;
  };

  let given: Given[] = [];
  /** The visitor has sent, and a file is still on its way. */
  let held = false;

  const changed = () => {
    const read = given.flatMap((one) => one.read ?? []);
    panel.handle()?.tell("attach", JSON.stringify(read));
    if (held && !waits()) {
      held = false;
      tell("");
      if (!given.some((one) => one.wrong)) row.querySelector<HTMLElement>("[data-do=send]")?.click();
    }
  };
  const waits = () => given.some((one) => !one.read && !one.wrong);

  const draw = (one: Given, ...state: Node[]) => {
    const { file, item } = one;
    const name = text("attach_remove", { name: file.name });
    const remove = make("button", "tool", { type: "button", "aria-label": name, title: name }, icon(CROSS));
    remove.onclick = () => {
      given = given.filter((other) => other != one);
      item.remove();
      tell("");
      changed();
      button.focus();
    };
    const about = make("div", "about", {}, make("span", "name", {}, make("bdi", "", {}, file.name)), ...state);
    item.className = one.wrong ? "wrong" : "";
    item.replaceChildren(about, remove);
    return about;
  };
  const size = (bytes: number) => {
    const [unit, n]: [string, number] = bytes < 1e3 ? ["byte", bytes] : bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
    const format = { style: "unit", unit, maximumFractionDigits: n < 10 ? 1 : 0 } as Intl.NumberFormatOptions;
    return new Intl.NumberFormat(bot.locale, format).format(n);
  };

  const send = async (one: Given) => {
    const { file } = one;
    one.wrong = false;
    const name = text("attach_sending", { name: file.name });
    draw(one, make("span", "size", {}, size(file.size)), make("progress", "", { "aria-label": name }));
    const path = "/v1/attachments?name=" + encodeURIComponent(file.name);
    const { status, body } = await panel.call("POST", path, file);
    if (!given.includes(one)) return;
    if (status >= 200 && status < 300) {
      const { id, name, bytes } = JSON.parse(body) as Attachment;
      one.read = { id, name, bytes };
      draw(one, make("span", "size", {}, size(file.size)));
    } else {
      one.wrong = true;
      const words =
        status == TOO_LARGE
          ? text("attach_too_large", { name: file.name, max: `${MAX_MB}` })
          : status == UNREADABLE
            ? text("attach_kind", { kinds: KINDS.join(", ") })
            : text("attach_failed");
      const about = draw(one, make("span", "size", { role: "alert" }, words));
      // Another try changes nothing about a file that the edge has looked at.
      if (status != TOO_LARGE && status != UNREADABLE) {
        const again = make("button", "retry", { type: "button" }, panel.again);
        again.onclick = () => {
          button.focus();
          void send(one);
        };
        about.after(again);
      }
    }
    changed();
  };

  const take = (files: Iterable<File>) => {
    tell("");
    for (const file of files) {
      const known = KINDS.includes(/[^.]*$/.exec(file.name)![0].toLowerCase());
      const why = !known
        ? text("attach_kind", { kinds: KINDS.join(", ") })
        : file.size > MAX_MB << 20
          ? text("attach_too_large", { name: file.name, max: `${MAX_MB}` })
          : given.length == MAX_FILES
            ? text("attach_many", { max: `${MAX_FILES}` })
            : "";
      if (why) {
        tell(why);
        continue;
      }
      const one: Given = { file, item: make("li") };
      given.push(one);
      list.append(one.item);
      void send(one);
    }
  };

  input.onchange = () => {
    take([...input.files!]);
    input.value = "";
    button.focus();
  };
  field.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    take(files);
  });
  const isFiles = (event: DragEvent) => !!event.dataTransfer?.types.includes("Files");
  const mark = (on: boolean) => whole.classList.toggle("dropping", on);
  whole.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  whole.addEventListener("dragleave", (event) => {
    if (!whole.contains(event.relatedTarget as Node | null)) mark(false);
  });
  whole.addEventListener("drop", (event) => {
    mark(false);
    if (!isFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer!.files);
    button.focus();
  });

  // A message waits for its files.
  const hold = (event: Event) => {
    if (!waits()) return;
    held = true;
    event.preventDefault();
    event.stopImmediatePropagation();
    const name = given.find((one) => !one.read && !one.wrong)!.file.name;
    tell(text("attach_sending", { name }), true);
  };
  composer.addEventListener("click", (event) => (event.target as Element).closest("[data-do=send]") && hold(event), true);
  composer.addEventListener(
    "keydown",
    (event) => event.target == field && event.key == "Enter" && !event.shiftKey && !event.isComposing && hold(event),
    true,
  );
  panel.listeners.push((kind) => {
    if (kind != "message" && kind != "forget") return;
    // What a suggestion leaves on its way goes with the message after it.
    given = given.filter((one) => kind == "message" && !one.read && !one.wrong);
    list.replaceChildren(...given.map(({ item }) => item));
    tell("");
  });
};
