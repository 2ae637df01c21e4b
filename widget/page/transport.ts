/** Calls to the edge, made for the widget. */

import type { Handle, Page } from "./bridge";
import type { Tell } from "./tabs";

/**
 * `request` and `abort` of the page; `end` stops everything that runs.
 *
 * - `heard`: told of every answer that is not an error, before the widget is, and gives it as the widget is to read it; the body of a stream is "".
 * - `blobs`: bodies that are no JSON, by the name that stands for them.
 */
export const transport = (
  handle: () => Handle | undefined,
  tell: Tell,
  heard: (url: string, body: string) => string,
  blobs: Record<string, Blob>,
): Pick<Page, "request" | "abort"> & { end(): void } => {
  const running: Record<number, AbortController> = {};

  const perform = async (ticket: number, url: string, init: RequestInit) => {
    let hear: ReturnType<Tell>;
    try {
      const answer = await fetch(url, init);
      const kind = answer.headers.get("content-type") ?? "";
      if (answer.ok && answer.body && kind.startsWith("text/event-stream")) {
        heard(url, "");
        const reader = answer.body.getReader();
        hear = tell(url, init.body as string | undefined);
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          hear?.(value);
          handle()?.streamed(ticket, value);
        }
      } else {
        let body = await answer.text();
        delete running[ticket];
        if (answer.ok) body = heard(url, body);
        return handle()?.answered(ticket, answer.status, body);
      }
    } catch {}
    delete running[ticket];
    hear?.();
    handle()?.broken(ticket);
  };

  return {
    request(ticket, method, url, token, body) {
      const { signal } = (running[ticket] = new AbortController());
      const headers: Record<string, string> = {};
      if (token) headers.authorization = "Bearer " + token;
      const blob = body && blobs[body];
      if (body) headers["content-type"] = blob ? blob.type || "application/octet-stream" : "application/json";
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
