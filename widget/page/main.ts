/**
 * The page's side of the widget: the loader imports it when the visitor shows intent. It starts the WebAssembly module
 * and does for it what takes JavaScript; what only few visitors want is a module of its own.
 */

import init, { mount } from "bulle-glue";
import type { Handle, Page } from "./bridge";
import { dates } from "./dates";
import { identities, type Identified } from "./identity";
import { parts } from "./parts";
import { tabs } from "./tabs";
import { transport } from "./transport";

/** What the loader has drawn and fetched. */
export interface Shell {
  /** The settings, as in the script: the fields of `LoaderConfig` in protocol/src/loader.rs. */
  config: unknown[];
  root: ShadowRoot;
  /** The panel below its header. */
  body: HTMLElement;
  /** Where the header keeps its buttons. */
  tools: HTMLElement;
  /** The page's handle on the bubble. */
  bubble: Identified;
}

/** The answer to a call of the edge; status 0 when there was none. */
export interface Answer {
  status: number;
  body: string;
}

/**
 * Fills the loader's frame; `focus` when the visitor has asked for it, so that the composer takes the focus.
 *
 * @returns false when the settings cannot be read.
 */
export const start = async (
  shell: Shell,
  module: WebAssembly.Module,
  css: string,
  focus: boolean,
): Promise<boolean> => {
  await init({ module_or_path: module });
  const { root, bubble } = shell;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);

  const [, site, , , locale] = shell.config as [string, string, string, string, string];
  let widget: Handle | undefined;
  const handle = () => widget!;
  const replies: Record<number, (answer: Answer) => void> = {};
  const blobs: Record<string, Blob> = {};
  let sent = 0;
  const call = (method: string, path: string, body?: string | Blob) =>
    new Promise<Answer>((resolve) => {
      if (body instanceof Blob) {
        const name = `blob:${++sent}`;
        blobs[name] = body;
        body = name;
      }
      replies[handle().call(method, path, body)] = (answer) => {
        delete blobs[body as string];
        resolve(answer);
      };
    });
  const { heard, emit } = parts(shell, handle, call);

  const page: Page = {
    ...transport(handle, tabs(site, handle).tell, heard, blobs),
    ...identities(bubble, handle),
    replied(ticket, status, body) {
      replies[ticket]?.({ status, body });
      delete replies[ticket];
    },
    challenge(script, sitekey, language) {
      root.host.replaceChildren();
      if (script) {
        const answer = (token?: string) => handle().challenged(token);
        void import("./challenge").then((part) => part.challenge(root, script, sitekey, language, answer));
      }
    },
    emit,
    date: dates(locale),
    copy(text) {
      const { clipboard } = navigator;
      if (clipboard) {
        clipboard.writeText(text).catch(() => {});
        return true;
      }
      // Pages that are not secure have none, but the way of old.
      const focus = root.activeElement as HTMLElement | null;
      const field = document.createElement("textarea");
      field.value = text;
      root.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      focus?.focus();
      return copied;
    },
    private() {
      const { globalPrivacyControl, doNotTrack } = navigator as { globalPrivacyControl?: boolean; doNotTrack?: unknown };
      return globalPrivacyControl || doNotTrack == "1";
    },
  };
  widget = mount(shell.body, shell.tools, JSON.stringify(shell.config), focus, page);
  if (!widget) return false;
  widget.tell("start", "");
  return true;
};
