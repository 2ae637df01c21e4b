/** HTTP calls to the edge on behalf of the widget. */

import type { Handle, Host } from "./bridge";
import type { Share } from "./tabs";

/**
 * `request` and `abort` of the host; `end` aborts every running call.
 *
 * - `share`: announces calls to the other tabs.
 * - `onAnswer`: called with every successful answer before the widget gets it; returns the body for the widget. The body
 *   of a stream is "".
 * - `blobs`: bodies that are not JSON, by the name that the widget knows them under.
 * - `takeEarly`: the answer to a request for a session that was made before the widget was there, by its body.
 */
export const transport = (
  handle: () => Handle | undefined,
  share: Share,
  onAnswer: (url: string, body: string) => string,
  blobs: Record<string, Blob>,
  takeEarly: (body: string) => Promise<Response> | undefined,
): Pick<Host, "request" | "abort"> & { end(): void } => {
  const running: Record<number, AbortController> = {};

  const perform = async (ticket: number, url: string, init: RequestInit) => {
    let shareChunk: ReturnType<Share>;
    try {
      // Only the request for a session has no token, and a body.
      const early = typeof init.body == "string" && !(init.headers as Record<string, string>).authorization && takeEarly(init.body);
      const answer = await (early || fetch(url, init));
      const kind = answer.headers.get("content-type") ?? "";
      if (answer.ok && answer.body && kind.startsWith("text/event-stream")) {
        onAnswer(url, "");
        const reader = answer.body.getReader();
        shareChunk = share(url, init.body as string | undefined);
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          shareChunk?.(value);
          handle()?.streamed(ticket, value);
        }
      } else {
        let body = await answer.text();
        delete running[ticket];
        if (answer.ok) body = onAnswer(url, body);
        return handle()?.answered(ticket, answer.status, body);
      }
    } catch {}
    delete running[ticket];
    shareChunk?.();
    handle()?.broken(ticket);
  };

  return {
    request(ticket, method, url, token, body) {
      const { signal } = (running[ticket] = new AbortController());
      const headers: Record<string, string> = {};
      if (token) headers.authorization = "Bearer " + token;
      const blob = body && blobs[body];
      // Without a type, the request for a session needs no preflight.
      if (body && token) headers["content-type"] = blob ? blob.type || "application/octet-stream" : "application/json";
      void perform(ticket, url, { method, headers, body: blob || body, signal });
    },
    abort(ticket) {
      running[ticket]?.abort();
      delete running[ticket];
    },
    end() {
      for (const ticket in running) running[ticket]!.abort();
    },
  };
};
