/**
 * Several tabs of one visitor. The tab that sends a message shares every chunk of its answer with the others, so that the
 * edge serves one stream and all of them show it. When one tab has erased the visitor, the others forget the visitor too.
 */

import type { Handle } from "./bridge";

/** A message from tab to tab. */
type TabMessage =
  | { id: ""; erased: string }
  | { conversation: string; id: string; text: string }
  | { id: string; bytes: Uint8Array<ArrayBuffer> }
  | { id: string; end: true };

/**
 * Announces a call to the other tabs. Returns a function to call with every chunk of the answer, and without one at its
 * end; returns nothing for a call that is not shared.
 */
export type Share = (url: string, body?: string) => ((bytes?: Uint8Array<ArrayBuffer>) => void) | undefined;

/** Connects this tab with the other tabs of a site. */
export const tabs = (site: string, handle: () => Handle | undefined) => {
  // Old browsers have no BroadcastChannel: there every tab reads its own stream.
  const channel = window.BroadcastChannel && new BroadcastChannel("bulle:" + site);
  const tickets: Record<string, number> = {};
  /** One function for each shared answer; it reports the end of the answer to the other tabs. */
  const ends = new Set<() => void>();
  let isOpen = true;
  const post = (message: TabMessage) => isOpen && channel.postMessage(message);
  if (!channel) return { share: (() => undefined) as Share, erased() {}, close() {} };

  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    const { id } = data;
    if ("erased" in data) return handle()?.command("erased", data.erased);
    if ("text" in data) {
      tickets[id] = handle()?.overheard(data.conversation, id, data.text) ?? 0;
    } else if (tickets[id]) {
      if ("bytes" in data) return handle()?.streamed(tickets[id], data.bytes);
      const ticket = tickets[id];
      delete tickets[id];
      handle()?.broken(ticket);
    }
  };

  const share: Share = (url, body) => {
    const conversation = /\/v1\/conversations\/(\w+)\/messages$/.exec(url)?.[1];
    if (!conversation || !body) return;
    const { id, text } = JSON.parse(body) as { id: string; text: string };
    post({ conversation, id, text });
    const end = () => post({ id, end: true });
    ends.add(end);
    addEventListener("pagehide", end);
    return (bytes?: Uint8Array<ArrayBuffer>) => {
      if (bytes) return post({ id, bytes });
      removeEventListener("pagehide", end);
      if (ends.delete(end)) end();
    };
  };

  const close = () => {
    for (const end of ends) {
      removeEventListener("pagehide", end);
      end();
    }
    ends.clear();
    isOpen = false;
    channel.close();
  };
  const erased = (visitor = "") => void post({ id: "", erased: visitor });
  return { share, erased, close };
};
