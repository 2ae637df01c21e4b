/** Who the page says its visitor is. */

import type { Handle, Page } from "./bridge";
import type { Identity } from "../../snippet/bulle";

/** `identity` and `identify` of the page; `said` is to be called when the page has said something else. */
export const identities = (
  owner: { who: Identity },
  handle: () => Handle | undefined,
): Pick<Page, "identity" | "identify"> & { said(): void } => {
  const known = () => {
    const { who } = owner;
    return typeof who == "function" ? "" : who ? subjectOf(who) : undefined;
  };
  return {
    identity: known,
    said: () => handle()?.identified(known()),
    async identify(ticket) {
      let jwt: string | undefined;
      try {
        const answer = await asked(owner.who);
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
