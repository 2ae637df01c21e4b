/** File attachments of the next message. The edge reads a file as soon as it is chosen, pasted or dropped; the message then carries its id. */

import { loadTexts } from "./i18n";
import type { Panel } from "./panel";

/** Limits of the edge: `POST /v1/attachments`. */
const MAX_FILES = 3;
const MAX_MB = 5;

/** File name extensions that the edge reads: docs/formats.md. */
const EXTENSIONS = ["pdf", "docx", "txt", "md", "html", "csv", "json"];

/** The HTTP statuses of `body_too_large` and `invalid_value`. */
const TOO_LARGE = 413;
const UNREADABLE = 422;

const CLIP = "M20 11.5l-8.2 8a5 5 0 0 1-7-7L13.5 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.3a1.7 1.7 0 0 1-2.4-2.4L15 7";
const CROSS = "M7 7l10 10M17 7 7 17";

const CSS = `.clip{display:grid;flex:none;place-items:center;width:40px;height:40px;margin:4px 0;border-radius:50%;color:var(--muted)}
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
.dropping .body{outline:2px dashed var(--ink);outline-offset:-6px;border-radius:16px}
@media(pointer:coarse){.clip{margin:2px 0}.clip,.panel .files .tool{width:44px;height:44px}.files .retry{min-height:44px}}
`;

interface Attachment {
  id: string;
  name: string;
  bytes: number;
}

/** A file that the visitor has chosen. The upload is pending until either `read` or `failed` is set. */
interface Upload {
  file: File;
  item: HTMLElement;
  read?: Attachment;
  failed?: boolean;
}

/** Adds the attach button to the composer, and accepts pasted and dropped files. */
export const attachments = async (panel: Panel): Promise<void> => {
  const { make, icon, root, body, bot } = panel;
  const text = await loadTexts(panel);
  panel.style(CSS);
  const composer = body.querySelector<HTMLElement>(".composer")!;
  const row = composer.querySelector<HTMLElement>(".field")!;
  const field = row.querySelector("textarea")!;
  const dropZone = root.querySelector<HTMLElement>(".panel")!;

  const accept = EXTENSIONS.map((extension) => "." + extension).join();
  const input = make("input", "", { type: "file", multiple: "", accept, hidden: "" });
  const button = make("button", "clip", { type: "button", "aria-label": text("attach"), title: text("attach") }, icon(CLIP));
  const list = make("ul", "files", { role: "list", "aria-label": text("attach") });
  const alert = make("p", "filesaid", { role: "alert" });
  button.onclick = () => input.click();
  // After the field, whose text stays in its place.
  field.after(button);
  row.before(list, alert);
  composer.append(input);

  const showAlert = (words: string, isPending = false) => {
    alert.classList.toggle("waits", isPending);
    alert.textContent = words;
  };

  let uploads: Upload[] = [];
  /** The visitor has sent the message while an upload was pending. */
  let isSendHeld = false;

  const changed = () => {
    const read = uploads.flatMap((upload) => upload.read ?? []);
    panel.handle()?.command("attach", JSON.stringify(read));
    if (isSendHeld && !isPending()) {
      isSendHeld = false;
      showAlert("");
      if (!uploads.some((upload) => upload.failed)) row.querySelector<HTMLElement>("[data-do=send]")?.click();
    }
  };
  const isPending = () => uploads.some((upload) => !upload.read && !upload.failed);

  const draw = (upload: Upload, ...state: Node[]) => {
    const { file, item } = upload;
    const name = text("attach_remove", { name: file.name });
    const remove = make("button", "tool", { type: "button", "aria-label": name, title: name }, icon(CROSS));
    remove.onclick = () => {
      uploads = uploads.filter((other) => other != upload);
      item.remove();
      showAlert("");
      changed();
      button.focus();
    };
    const about = make("div", "about", {}, make("span", "name", {}, make("bdi", "", {}, file.name)), ...state);
    item.className = upload.failed ? "wrong" : "";
    item.replaceChildren(about, remove);
    return about;
  };
  const size = (bytes: number) => {
    const [unit, n]: [string, number] = bytes < 1e3 ? ["byte", bytes] : bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
    // The short form of bytes has no plural in many languages: "664 byte".
    const unitDisplay = unit == "byte" ? "long" : "short";
    const format = { style: "unit", unit, unitDisplay, maximumFractionDigits: n < 10 ? 1 : 0 } as Intl.NumberFormatOptions;
    return new Intl.NumberFormat(bot.locale, format).format(n);
  };

  const send = async (upload: Upload) => {
    const { file } = upload;
    upload.failed = false;
    const name = text("attach_sending", { name: file.name });
    draw(upload, make("span", "size", {}, size(file.size)), make("progress", "", { "aria-label": name }));
    const path = "/v1/attachments?name=" + encodeURIComponent(file.name);
    const { status, body } = await panel.call("POST", path, file);
    if (!uploads.includes(upload)) return;
    if (status >= 200 && status < 300) {
      const { id, name, bytes } = JSON.parse(body) as Attachment;
      upload.read = { id, name, bytes };
      draw(upload, make("span", "size", {}, size(file.size)));
    } else {
      upload.failed = true;
      const words =
        status == TOO_LARGE
          ? text("attach_too_large", { name: file.name, max: `${MAX_MB}` })
          : status == UNREADABLE
            ? text("attach_kind", { kinds: EXTENSIONS.join(", ") })
            : text("attach_failed");
      const about = draw(upload, make("span", "size", { role: "alert" }, words));
      // A retry cannot help with a file that the edge has examined and refused.
      if (status != TOO_LARGE && status != UNREADABLE) {
        const again = make("button", "retry", { type: "button" }, panel.again);
        again.onclick = () => {
          button.focus();
          void send(upload);
        };
        about.after(again);
      }
    }
    changed();
  };

  const add = (files: Iterable<File>) => {
    showAlert("");
    for (const file of files) {
      const isReadable = EXTENSIONS.includes(/[^.]*$/.exec(file.name)![0].toLowerCase());
      const problem = !isReadable
        ? text("attach_kind", { kinds: EXTENSIONS.join(", ") })
        : file.size > MAX_MB << 20
          ? text("attach_too_large", { name: file.name, max: `${MAX_MB}` })
          : uploads.length == MAX_FILES
            ? text("attach_many", { max: `${MAX_FILES}` })
            : "";
      if (problem) {
        showAlert(problem);
        continue;
      }
      const upload: Upload = { file, item: make("li") };
      uploads.push(upload);
      list.append(upload.item);
      void send(upload);
    }
  };

  input.onchange = () => {
    add([...input.files!]);
    input.value = "";
    button.focus();
  };
  field.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    add(files);
  });
  const isFiles = (event: DragEvent) => !!event.dataTransfer?.types.includes("Files");
  const markDropZone = (on: boolean) => dropZone.classList.toggle("dropping", on);
  dropZone.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    markDropZone(true);
  });
  dropZone.addEventListener("dragleave", (event) => {
    if (!dropZone.contains(event.relatedTarget as Node | null)) markDropZone(false);
  });
  dropZone.addEventListener("drop", (event) => {
    markDropZone(false);
    if (!isFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer!.files);
    button.focus();
  });

  // Sending waits until every upload has finished.
  const hold = (event: Event) => {
    if (!isPending()) return;
    isSendHeld = true;
    event.preventDefault();
    event.stopImmediatePropagation();
    const name = uploads.find((upload) => !upload.read && !upload.failed)!.file.name;
    showAlert(text("attach_sending", { name }), true);
  };
  composer.addEventListener("click", (event) => (event.target as Element).closest("[data-do=send]") && hold(event), true);
  composer.addEventListener(
    "keydown",
    (event) => event.target == field && event.key == "Enter" && !event.shiftKey && !event.isComposing && hold(event),
    true,
  );
  panel.listeners.push((kind) => {
    if (kind != "message" && kind != "forget") return;
    // A picked suggestion is sent at once: uploads still pending then go with the message after it.
    uploads = uploads.filter((upload) => kind == "message" && !upload.read && !upload.failed);
    list.replaceChildren(...uploads.map(({ item }) => item));
    showAlert("");
  });
};
