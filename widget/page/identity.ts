/** Who the page says its visitor is. */

import type { Handle, Page } from "./bridge";

/** A JWT, a function that gives one or a promise of one, or nothing when the visitor has signed out. */
export type Identity = string | (() => unknown) | null | undefined;

/** Where the loader keeps what the page has said: `id`, or else `tag`, what the script's tag says. */
export interface Identified {
  id?: Identity;
  tag: string | undefined;
  identify(who: Identity): void;
}

/** `identity` and `identify` of the page; takes `identify` over from the loader. */
export const identities = (bubble: Identified, handle: () => Handle): Pick<Page, "identity" | "identify"> => {
  const known = () => {
    const { id } = bubble;
    return typeof id == "function" ? "" : id ? subjectOf(id) : undefined;
  };
  return {
    identity() {
      bubble.identify = (id) => {
        bubble.id = id;
        handle().identified(known());
      };
      if (!("id" in bubble)) bubble.id = bubble.tag;
      return known();
    },
    async identify(ticket) {
      const { id } = bubble;
      let jwt: string | undefined;
      try {
        const said = await (typeof id == "function" ? id() : id);
        jwt = said ? said + "" : "";
      } catch (error) {
        console.error("[Bulle] identify", error);
      }
      handle().named(ticket, jwt, jwt && subjectOf(jwt));
    },
  };
};

/** Whom a JWT speaks of; "" when that cannot be read. Whether it may is the edge's business: it knows the secret. */
const subjectOf = (jwt: string): string => {
  try {
    return JSON.parse(atob(jwt.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub + "";
  } catch {
    return "";
  }
};
