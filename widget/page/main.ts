/**
 * The page's side of the widget; the loader imports it when the visitor shows intent. It starts the WebAssembly module
 * and is its host: it does what takes JavaScript. Features that few visitors use are modules of their own (features.ts).
 */

import init, { mount } from "bulle-glue";
import type { LoaderShell } from "../../snippet/src/bubble";
import { ownerApi } from "./api";
import type { Handle, Host } from "./bridge";
import { dates } from "./dates";
import { earlySession, isPrivate } from "./early-session";
import { features } from "./features";
import { identities, requestJwt } from "./identity";
import type { Answer } from "./panel";
import { complete, decorate } from "./shell";
import { tabs } from "./tabs";
import { transport } from "./transport";

export type { Shell } from "./shell";

/** Fills the panel; returns whether it could. The loader calls it, with `focus` if the visitor has opened the panel. */
type Fill = (focus: boolean) => boolean | Promise<boolean>;

/**
 * Compiles the module and completes the header.
 *
 * @param files the fetches of the module and of the stylesheet; empty when the tag asks for a frame, or when only a modal
 *   dialog of the page is to be followed.
 * @throws when a file could not be fetched, or the browser cannot run the module.
 */
export const load = async (loaded: LoaderShell, files: Promise<Response | Error>[]): Promise<Fill> => {
  // The bubble may have been removed while this module was fetched.
  const isGone = () => !(loaded.body.getRootNode() instanceof ShadowRoot);
  if (isGone()) return () => true;
  const shell = complete(loaded);
  const api = (shell.api ??= ownerApi(shell));
  if (await api.redrawn) return () => true;
  const framed = async () => (await import("./frame")).frame(shell, api, requestJwt);
  if (!files[0]) return "frame" in shell.look ? framed() : () => false;

  const session = earlySession(shell);
  // An answer tells that the page's policy allows requests to the edge. A refusal would be reported for each of them.
  void files[0].then((answer) => answer instanceof Response && shell.isOpen() && session.open());
  const [wasm, css] = await Promise.all(files);
  try {
    await init({ module_or_path: await WebAssembly.compileStreaming(fetched(wasm)) });
  } catch (error) {
    if (await (await import("./csp")).isBlocked(shell.config[2], error, wasm)) return framed();
    throw error;
  }
  decorate(shell, await fetched(css).text());

  const { root, signal } = shell;
  return async (focus) => {
    session.open();
    // The panel is painted before it is filled, also when all files were fetched on the visitor's first interest.
    await painted();
    if (isGone()) return true;
    let widget: Handle | undefined;
    const handle = () => widget;
    const command = (name: string, value = "") => widget?.command(name, value);
    const replies: Record<number, (answer: Answer) => void> = {};
    const [locale, , edge, site] = shell.config;
    const { textSend, textUnavailable, textRetry } = shell.look;
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
    const { onAnswer, emit } = features(shell, handle, call, others.erased);
    const calls = transport(handle, others.share, onAnswer, blobs, session.take);

    const identity = identities(api, handle);
    const host: Host = {
      ...calls,
      ...identity,
      replied(ticket, status, body) {
        replies[ticket]?.({ status, body });
        delete replies[ticket];
      },
      challenge(script, sitekey, language) {
        root.host.replaceChildren();
        if (script) {
          const answer = (token?: string) => widget?.challenged(token);
          import("./challenge").then((module) => module.challenge(root, script, sitekey, language, answer)).catch(() => answer());
        }
      },
      emit(kind, detail) {
        emit(kind, detail);
        // The page does not learn that the visitor before was forgotten.
        if (kind != "forget") api.emit(kind, JSON.parse(detail));
      },
      date: dates(locale),
      copy(text) {
        const copied = () => command("copied");
        const copyByCommand = () => {
          const focus = root.activeElement as HTMLElement | null;
          const field = document.createElement("textarea");
          field.value = text;
          // Fixed, so that the page does not scroll to the field.
          field.style.cssText = "position:fixed;top:0";
          root.append(field);
          field.select();
          if (document.execCommand("copy")) copied();
          field.remove();
          focus?.focus();
        };
        // A page without HTTPS has no clipboard API, and a policy may refuse it: then `execCommand` copies.
        if (navigator.clipboard) navigator.clipboard.writeText(text).then(copied, copyByCommand);
        else copyByCommand();
      },
      private: isPrivate,
    };
    widget = mount(shell.body, shell.tools, JSON.stringify([edge, site, locale, textSend, textUnavailable, textRetry]), focus, host);
    if (!widget) return false;
    shell.body.querySelector("textarea")!.onkeydown = (event) => {
      if (event.keyCode != 13 || event.shiftKey) return;
      event.preventDefault();
      command("send");
    };
    command("start");

    for (const kind of ["online", "offline"]) addEventListener(kind, () => command(kind), { signal });
    // Only a bubble in an element of the page is printed.
    if (shell.isInline) for (const kind of ["beforeprint", "afterprint"]) addEventListener(kind, () => command("print", kind == "beforeprint" ? "1" : ""), { signal });
    // A page restored from the back/forward cache has missed everything that happened meanwhile.
    addEventListener("pageshow", ({ persisted }) => persisted && command("reload"), { signal });
    const shown = () => document.hidden || !shell.isOpen() || command("shown");
    document.addEventListener("visibilitychange", shown, { signal });

    api.connect({
      ask: (text) => widget?.command("ask", text),
      identify: identity.changed,
      // The widget marks the element to focus first: a text field would raise the keyboard of a phone.
      focus: () => root.querySelector<HTMLElement>("[data-first]")?.focus(),
      changed: shown,
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

/** Resolves after the next frame is painted. A hidden page draws no frames, and neither does a closed panel in a frame: hence the timeout. */
const painted = () =>
  new Promise((done) => {
    if (document.hidden) return done(0);
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 1_000);
  });

/** The response of a fetch that succeeded. */
const fetched = (file: Response | Error | undefined): Response => {
  if (file instanceof Response && file.ok) return file;
  throw file instanceof Error ? file : new Error(`${file?.url}: ${file?.status}`);
};
