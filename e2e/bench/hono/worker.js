// The baseline of `cargo xtask bench edge`: the core of a chat bubble's edge, written with Hono and without Bulle.
//
// It checks a signed session token, looks up the site (KV in front of D1), counts the message in a sliding window in KV,
// passes the model's stream on as it is, and stores message and answer in D1, beside the stream.
// `OBJECT=1` puts a Durable Object per conversation between Worker and model; it also keeps the messages itself.
//
// Bulle does the following for a message, and this Worker does not: check the origin, count by network address and by
// day, own the conversation (one turn at a time, the same message answered once), search passages, build a prompt with
// the conversation so far, enforce deadlines, parse Markdown into blocks, keep every event for a replay, store an answer
// later that D1 has refused.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { jwt, sign } from "hono/jwt";

const MINUTE = 60_000;
const app = new Hono();

app.get("/health", (c) => c.text("ok"));

/** The baseline of the tools' cost: a Worker that only passes the model's answer on. */
app.post("/pass", (c) => fetch(`${c.env.UPSTREAM}/chat/completions`, { method: "POST", body: c.req.raw.body }));

app.post("/v1/sessions", async (c) => {
  const { site } = await c.req.json();
  await findSite(c.env, site);
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return c.json({ token: await sign({ site, sub: crypto.randomUUID(), exp }, c.env.SECRET, "HS256") });
});

app.use("/v1/conversations/*", (c, next) => jwt({ secret: c.env.SECRET, alg: "HS256" })(c, next));

app.post("/v1/conversations/:conversation/messages", async (c) => {
  const { site, sub: visitor } = c.get("jwtPayload");
  const { tenant, per_minute } = await findSite(c.env, site);
  await count(c, `minute/${tenant}/${visitor}`, per_minute);
  const { id, text } = await c.req.json();
  const question = { tenant, conversation: c.req.param("conversation"), visitor, id, text };
  if (!c.env.OBJECT) return answer(c.env, c.executionCtx, question);
  return c.env.CONVERSATIONS.getByName(`${tenant}/${question.conversation}`).answer(question);
});

async function findSite(env, key) {
  const cached = await env.KV.get(`site/${key}`, "json");
  if (cached) return cached;
  const site = await env.DB.prepare("SELECT tenant, per_minute FROM site WHERE key = ?").bind(key).first();
  if (!site) throw new HTTPException(404, { message: "unknown site" });
  await env.KV.put(`site/${key}`, JSON.stringify(site), { expirationTtl: 60 });
  return site;
}

async function count(c, key, limit) {
  const now = Date.now();
  const times = ((await c.env.KV.get(key, "json")) ?? []).filter((time) => time > now - MINUTE);
  if (times.length >= limit) throw new HTTPException(429, { message: "too many messages" });
  c.executionCtx.waitUntil(c.env.KV.put(key, JSON.stringify([...times, now]), { expirationTtl: 60 }));
}

async function answer(env, context, question) {
  context.waitUntil(store(env, question, "user", question.text));
  const response = await fetch(`${env.UPSTREAM}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "mock-1", stream: true, messages: [{ role: "user", content: question.text }] }),
  });
  if (!response.ok) throw new HTTPException(502, { message: "the model refused" });
  const [shown, kept] = response.body.tee();
  context.waitUntil(words(kept).then((text) => store(env, question, "assistant", text)));
  return new Response(shown, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

/** The text of a streamed answer. */
async function words(body) {
  let [text, rest] = ["", ""];
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: {")) text += JSON.parse(line.slice(6)).choices[0]?.delta.content ?? "";
    }
  }
  return text;
}

function store(env, { tenant, conversation, visitor, id }, role, text) {
  const statement = env.DB.prepare("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)");
  return statement.bind(tenant, conversation, id, role, visitor, text, Date.now()).run();
}

export class Conversation extends DurableObject {
  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, text TEXT NOT NULL)");
  }

  answer(question) {
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO message VALUES (?, ?)", question.id, question.text);
    return answer(this.env, this.ctx, question);
  }
}

export default app;
