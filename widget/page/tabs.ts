/**
 * Several tabs of one visitor: the one that sends a message hands every piece of its answer to the others, so that the
 * edge serves one stream and all of them show it. And what one of them has erased, all of them forget.
 */

import type { Handle } from "./bridge";

/** What goes from tab to tab. */
type Message =
  | { id: ""; erased: string }
  | { conversation: string; id: string; text: string }
  | { id: string; bytes: Uint8Array<ArrayBuffer> }
  | { id: string; end: true };

/**
 * A call goes out. What is returned is to be called with every piece of the answer, and with nothing at its end; nothing
 * is returned when it concerns this tab alone.
 */
export type Tell = (url: string, body?: string) => ((bytes?: Uint8Array<ArrayBuffer>) => void) | undefined;

/** Listens to the other tabs of a site, and speaks to them. */
export const tabs = (site: string, handle: () => Handle | undefined) => {
  // Old browsers have none: every tab reads for itself.
  const channel = window.BroadcastChannel && new BroadcastChannel("bulle:" + site);
  const tickets: Record<string, number> = {};
  /** What ends the answers that this tab hands on. */
  const ends = new Set<() => void>();
  let isOpen = true;
  const say = (message: Message) => isOpen && channel.postMessage(message);
  if (!channel) return { tell: (() => undefined) as Tell, erased() {}, close() {} };

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    const { id } = data;
    if ("erased" in data) return handle()?.tell("erased", data.erased);
    if ("text" in data) {
      tickets[id] = handle()?.overheard(data.conversation, id, data.text) ?? 0;
    } else if (tickets[id]) {
      if ("bytes" in data) return handle()?.streamed(tickets[id], data.bytes);
      const ticket = tickets[id];
      delete tickets[id];
      handle()?.broken(ticket);
    }
  };

  const tell: Tell = (url, body) => {
    const conversation = /\/v1\/conversations\/(\w+)\/messages$/.exec(url)?.[1];
    if (!conversation || !body) return;
    const { id, text } = JSON.parse(body) as { id: string; text: string };
    say({ conversation, id, text });
    const end = () => say({ id, end: true });
    ends.add(end);
    addEventListener("pagehide", end);
    return (bytes?: Uint8Array<ArrayBuffer>) => {
      if (bytes) return say({ id, bytes });
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
  const erased = (visitor = "") => void say({ id: "", erased: visitor });
  return { tell, erased, close };
};
