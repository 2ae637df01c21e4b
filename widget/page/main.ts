/**
 * The page's side of the widget: the loader imports it when the visitor shows intent. It starts the WebAssembly module
 * and does for it what takes JavaScript; what only few visitors want is a module of its own.
 */

import init, { mount } from "bulle-glue";
import type { Shell as Loaded } from "../../snippet/src/bubble";
import { serve } from "./api";
import type { Handle, Page } from "./bridge";
import { dates } from "./dates";
import { asked, identities } from "./identity";
import { parts } from "./parts";
import { complete, decorate } from "./shell";
import { tabs } from "./tabs";
import { transport } from "./transport";

export type { Shell } from "./shell";

/** The answer to a call of the edge; status 0 when there was none. */
export interface Answer {
  status: number;
  body: string;
}

/** What the loader calls to fill the panel; whether it could. `focus` when the visitor has asked for it. */
type Fill = (focus: boolean) => boolean | Promise<boolean>;

/**
 * Makes everything ready.
 *
 * @param files the module and the stylesheet as they come; none when the tag asks for a frame.
 * @throws when something could not be fetched, or the browser cannot run it.
 */
export const load = async (loaded: Loaded, files: Promise<Response | Error>[]): Promise<Fill> => {
  // It may have been taken away while this was being fetched.
  const isGone = () => !loaded.root.querySelector(".frame");
  if (isGone()) return () => true;
  const shell = complete(loaded);
  const owner = (shell.owner ??= serve(shell));
  if (await owner.moved) return () => true;
  const framed = async () => (await import("./frame")).frame(shell, owner, asked);
  if (!files[0]) return framed();

  const [wasm, css] = await Promise.all(files);
  try {
    await init({ module_or_path: await WebAssembly.compileStreaming(whole(wasm)) });
  } catch (error) {
    if (await (await import("./policy")).refuses(shell.config[2], error, wasm)) return framed();
    throw error;
  }
  decorate(shell, await whole(css).text());

  const { root, signal } = shell;
  return async (focus) => {
    // The panel is seen before it is filled, also when everything has been there since the visitor's first interest.
    await painted();
    if (isGone()) return true;
    let widget: Handle | undefined;
    const handle = () => widget;
    const told = (wish: string, value = "") => widget?.tell(wish, value);
    const replies: Record<number, (answer: Answer) => void> = {};
    const [locale, , edge, site] = shell.config;
    const { textLoading, textUnavailable, textRetry } = shell.look;
    const others = tabs(site, handle);
    const blobs: Record<string, Blob> = {};
    let sent = 0;
    const call = (method: string, path: string, body?: string | Blob) =>
      new Promise<Answer>((resolve) => {
        if (!widget) return;
        if (body instanceof Blob) {
          const name = `blob:${++sent}`;
          blobs[name] = body;
          body = name;
        }
        replies[widget.call(method, path, body)] = (answer) => {
          delete blobs[body as string];
          resolve(answer);
        };
      });
    const { heard, emit } = parts(shell, handle, call, others.erased);
    const calls = transport(handle, others.tell, heard, blobs);

    const who = identities(owner, handle);
    const page: Page = {
      ...calls,
      ...who,
      replied(ticket, status, body) {
        replies[ticket]?.({ status, body });
        delete replies[ticket];
      },
      challenge(script, sitekey, language) {
        root.host.replaceChildren();
        if (script) {
          const answer = (token?: string) => widget?.challenged(token);
          import("./challenge").then((part) => part.challenge(root, script, sitekey, language, answer)).catch(() => answer());
        }
      },
      emit(kind, detail) {
        emit(kind, detail);
        // Who was there before is nobody's business.
        if (kind != "forget") owner.emit(kind, JSON.parse(detail));
      },
      date: dates(locale),
      copy(text) {
        const copied = () => told("copied");
        const old = () => {
          const focus = root.activeElement as HTMLElement | null;
          const field = document.createElement("textarea");
          field.value = text;
          // The page must not scroll to it.
          field.style.cssText = "position:fixed;top:0";
          root.append(field);
          field.select();
          if (document.execCommand("copy")) copied();
          field.remove();
          focus?.focus();
        };
        // Pages that are not secure have no clipboard, and others may refuse it: then there is the way of old.
        if (navigator.clipboard) navigator.clipboard.writeText(text).then(copied, old);
        else old();
      },
      private() {
        const { globalPrivacyControl, doNotTrack } = navigator as { globalPrivacyControl?: boolean; doNotTrack?: unknown };
        return globalPrivacyControl || doNotTrack == "1";
      },
    };
    widget = mount(shell.body, shell.tools, JSON.stringify([edge, site, locale, textLoading, textUnavailable, textRetry]), focus, page);
    if (!widget) return false;
    told("start");

    for (const kind of ["online", "offline"]) addEventListener(kind, () => told(kind), { signal });
    // A bubble in a corner of the page is not printed.
    if (shell.isInline) for (const kind of ["beforeprint", "afterprint"]) addEventListener(kind, () => told("print", kind == "beforeprint" ? "1" : ""), { signal });
    // A page that comes back from the browser's memory has missed what happened meanwhile.
    addEventListener("pageshow", ({ persisted }) => persisted && told("reload"), { signal });

    owner.carry({
      ask: (text) => widget?.tell("ask", text),
      identify: who.said,
      // The widget marks what comes first: a text field would raise the keyboard of a phone.
      focus: () => root.querySelector<HTMLElement>("[data-first]")?.focus(),
      end() {
        calls.end();
        others.close();
        widget?.free();
        widget = undefined;
      },
    });
    return true;
  };
};

/** The next frame has been shown. A page that nobody sees has no frames; nor has, without saying so, a closed panel's. */
const painted = () =>
  new Promise((done) => {
    if (document.hidden) return done(0);
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 1_000);
  });

/** A file that has come. */
const whole = (file: Response | Error | undefined): Response => {
  if (file instanceof Response && file.ok) return file;
  throw file instanceof Error ? file : new Error(`${file?.url}: ${file?.status}`);
};
