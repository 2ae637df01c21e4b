/** Who the page says its visitor is. */

import type { Handle, Page } from "./bridge";
import type { Identity } from "../../snippet/bulle";

/** What the page has said of its visitor, and how it says something else. */
export interface Identified {
  id: Identity;
  identify(who: Identity): void;
}

/** `identity` and `identify` of the page. */
export const identities = (said: Identified, handle: () => Handle | undefined): Pick<Page, "identity" | "identify"> => {
  const known = () => {
    const { id } = said;
    return typeof id == "function" ? "" : id ? subjectOf(id) : undefined;
  };
  said.identify = (id) => {
    said.id = id;
    handle()?.identified(known());
  };
  return {
    identity: known,
    async identify(ticket) {
      let jwt: string | undefined;
      try {
        const answer = await asked(said.id);
        jwt = answer ? answer + "" : "";
      } catch (error) {
        console.error("[Bulle] identify", error);
      }
      handle()?.named(ticket, jwt, jwt && subjectOf(jwt));
    },
  };
};

/** The JWT, or nothing. */
export const asked = async (id: Identity): Promise<string | null | undefined> => (typeof id == "function" ? id() : id);

/** Whom a JWT speaks of; "" when that cannot be read. Whether it may is the edge's business: it knows the secret. */
const subjectOf = (jwt: string): string => {
  try {
    return JSON.parse(atob(jwt.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub + "";
  } catch {
    return "";
  }
};
