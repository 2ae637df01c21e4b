// The operator and owners: calls of the admin API.
import { createHmac } from "node:crypto";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A JWT with this header and these claims, signed with HMAC-SHA-256. */
export function jwt(secret, claims, header = { alg: "HS256", typ: "JWT" }) {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** Unix seconds, from now. */
export const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

export class Owner {
  constructor(edge, tenant, key = edge.adminKey) {
    Object.assign(this, { edge, tenant, key });
  }

  /** The raw response. `path` is below the tenant. */
  fetch(path = "", { method = "GET", body, headers = {}, key = this.key } = {}) {
    const { tenant } = this;
    return fetch(`${this.edge.url}/v1/admin/tenants${tenant === undefined ? "" : `/${tenant}`}${path}`, {
      method,
      body: body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...headers,
      },
    });
  }

  async #done(response) {
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  async post(path, body) {
    return this.#done(await this.fetch(path, { method: "POST", body }));
  }

  async patch(path, body) {
    return this.#done(await this.fetch(path, { method: "PATCH", body, headers: { "if-match": "*" } }));
  }

  async remove(path) {
    return this.#done(await this.fetch(path, { method: "DELETE", headers: { "if-match": "*" } }));
  }

  /** A tenant with one bot and one site of the examples' origin. */
  static async with(edge, tenant, settings = {}, origins = [edge.site]) {
    const operator = new Owner(edge);
    await operator.post("", { id: tenant, name: tenant });
    const owner = new Owner(edge, tenant);
    await owner.post("/bots", { id: "bot", settings: { name: "Bot", locale: "fr", ...settings } });
    owner.site = await owner.post("/sites", { bot_id: "bot", name: "Site", origins });
    return owner;
  }
}

/** Limits that no test reaches. */
export const GENEROUS = {
  tiers: { free: { per_minute: 1000 }, premium: { per_minute: 1000 } },
  address: { sessions_per_minute: 10_000, messages_per_minute: 10_000, messages_per_day: 100_000 },
};
