// A fake of Cloudflare's API (v4) for Workers AI and Vectorize, at one address, with a toy model in which the words of
// a row have the same meaning. It fails on demand.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "./listen.mjs";

export const ACCOUNT = "account-1";
export const TOKEN = "token-that-nobody-may-see";
export const INDEX = "meanings";

const MEANINGS = [
  ["car", "cars", "automobile", "motorcar"],
  ["quick", "quickest", "fast", "fastest", "speed"],
  ["dog", "dogs", "hound"],
  ["bread", "loaf", "baguette"],
  ["kubernetes", "orchestration", "orchestrateur"],
];

/** A vector of a text: the count of each meaning, and a small constant. */
function embed(text) {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return [...MEANINGS.map((row) => words.filter((word) => row.includes(word)).length), 0.05];
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The namespace of a tenant's bot: the scope with which the words of its rows begin in the full-text index. */
export const namespace = (owner) => [...createHash("sha256").update(`${owner.tenant}/bot`).digest()].slice(0, 12)
  .map((byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31]).join("");

export async function startCloudflare() {
  const cloudflare = {
    /** Vectors by id, with their namespaces. */
    vectors: new Map(),
    requests: [],
    /** Takes over a response: a function of the request's name (`run`, `upsert`, `query`, `delete_by_ids`) and the response; true if it has answered. */
    instead: undefined,
    /** Whether a query finds the vectors of other namespaces, too. */
    leaks: false,
  };
  const answers = {
    run: ({ text }) => ({ shape: [text.length, MEANINGS.length + 1], data: text.map(embed), pooling: "cls" }),
    upsert(lines) {
      for (const { id, values, namespace } of lines) cloudflare.vectors.set(id, { values, namespace });
      return { mutationId: "m" };
    },
    query({ vector, topK, namespace }) {
      const all = [...cloudflare.vectors].filter(([, known]) => cloudflare.leaks || known.namespace === namespace)
        .map(([id, known]) => ({ id, score: cosine(vector, known.values) }));
      const matches = all.sort((a, b) => b.score - a.score).slice(0, topK);
      return { count: matches.length, matches };
    },
    delete_by_ids({ ids }) {
      for (const id of ids) cloudflare.vectors.delete(id);
      return { mutationId: "m" };
    },
  };
  const paths = {
    [`/client/v4/accounts/${ACCOUNT}/ai/run/@cf/baai/bge-m3`]: "run",
    ...Object.fromEntries(["upsert", "query", "delete_by_ids"].map((name) => [`/client/v4/accounts/${ACCOUNT}/vectorize/v2/indexes/${INDEX}/${name}`, name])),
  };
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const name = request.method === "POST" ? paths[request.url] : undefined;
    const type = request.headers["content-type"];
    const body = type === "application/x-ndjson" ? text.trimEnd().split("\n").map(JSON.parse) : JSON.parse(text);
    cloudflare.requests.push({ name, url: request.url, authorization: request.headers.authorization, type, body });
    if (await cloudflare.instead?.(name, response)) return;
    const failed = (status, code) => response.writeHead(status).end(JSON.stringify({ result: null, success: false, errors: [{ code, message: "no" }] }));
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return failed(401, 10_000);
    if (!name) return failed(404, 7_003);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ result: answers[name](body), success: true, errors: [], messages: [] }, null, 2));
  });
  const port = await listen(server);
  cloudflare.url = `http://127.0.0.1:${port}/client/v4`;
  /** Variables of an edge that uses this server. */
  cloudflare.vars = {
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT, CLOUDFLARE_API_TOKEN: TOKEN, VECTORIZE_INDEX: INDEX, CLOUDFLARE_API_URL: cloudflare.url, MEANING_RETRY_MS: "200",
  };
  /** The requests of this name. */
  cloudflare.asked = (name) => cloudflare.requests.filter((request) => request.name === name);
  /** The vectors of an owner's bot. */
  cloudflare.of = (owner) => [...cloudflare.vectors].filter(([, known]) => known.namespace === namespace(owner)).map(([id]) => id);
  cloudflare.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return cloudflare;
}
