/** The identity that the page gives for its visitor: a JWT, or a function that returns one. */

import type { Handle, Host } from "./bridge";
import type { Identity } from "../../snippet/bulle";

/** `identity` and `identify` of the host; `changed` is to be called when the page has given another identity. */
export const identities = (
  api: { identity: Identity },
  handle: () => Handle | undefined,
): Pick<Host, "identity" | "identify"> & { changed(): void } => {
  const subject = () => {
    const { identity } = api;
    return typeof identity == "function" ? "" : identity ? subjectOf(identity) : undefined;
  };
  return {
    identity: subject,
    changed: () => handle()?.identified(subject()),
    async identify(ticket) {
      let jwt: string | undefined;
      try {
        const answer = await requestJwt(api.identity);
        jwt = answer ? answer + "" : "";
      } catch (error) {
        console.error("[Bulle] identify", error);
      }
      handle()?.named(ticket, jwt, jwt && subjectOf(jwt));
    },
  };
};

/** The JWT of the visitor; nothing for a visitor who is not signed in. */
export const requestJwt = async (identity: Identity): Promise<string | null | undefined> => (typeof identity == "function" ? identity() : identity);

/** The `sub` of a JWT; "" when it cannot be read. Only the edge can verify the JWT, because it has the secret. */
const subjectOf = (jwt: string): string => {
  try {
    return JSON.parse(atob(jwt.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"))).sub + "";
  } catch {
    return "";
  }
};
