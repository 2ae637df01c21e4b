// Servers that call themselves compatible, against real workerd: what the model says to itself reaches nobody, an answer
// that came is read, a parameter that is refused is left out, and owners and visitors read what helps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { openDatabase, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { refuses, says, sends, startVendors } from "./support/vendors.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const WHOLE = "J'ai 8 ans d'expérience.";
const THOUGHT = "saperlipopette";

let vendors, edge, database;
before(async () => {
  vendors = await startVendors();
  edge = await startEdge({ entry: "workers-ai", vars: { AI_URL: vendors.url("workers_ai"), OPENAI_BASE_URL: vendors.url("openai"), OPENAI_API_KEY: "sk-secret", OPENAI_MODEL: "of-the-deployment" } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
  vendors?.stop();
});

/** A tenant whose bot asks the model of its name. */
async function owner(provider, name, settings = {}) {
  const { model, ...others } = settings;
  const owner = await Owner.with(edge, name, { limits: GENEROUS, model: { provider, name, ...model }, ...others });
  owner.visitor = () => new Visitor(edge, { site: owner.site.key }).open();
  const { key } = await owner.post("/keys", { name: "Server", scopes: ["chat:write"] });
  owner.client = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
  return owner;
}

const stored = (tenant) => JSON.stringify(database.prepare("SELECT * FROM message WHERE tenant_id = ?").all(tenant));
const evidence = (replyId) => JSON.parse(database.prepare("SELECT evidence FROM message WHERE id = ?").get(replyId).evidence);
const outcomes = (tenant) => database.prepare("SELECT outcome FROM model_call WHERE tenant_id = ? ORDER BY created_at, CAST(substr(id, 28) AS INTEGER)").all(tenant).map(({ outcome }) => outcome);
const last = (list) => list.at(-1).data;

/** How thinking may come, and whether nothing of it may be in the stream even for a moment. */
const THINKING = [
  ["marked", ["<think>On demande, ", `${THOUGHT}.</think>`, "\n\nJ'ai 8 ans ", "d'expérience."], true],
  ["split", ["<", "th", `ink>\n${THOUGHT.slice(0, 6)}`, `${THOUGHT.slice(6)}\n<`, "/think", ">\n\nJ'ai 8", " ans d'expérience."], true],
  ["aloud", ["Okay, the user asks, ", `${THOUGHT}.\n`, "</think>\n\n", WHOLE], true],
  ["unopened", ["On demande, ", `${THOUGHT}.`, "</think>", WHOLE], false],
];

for (const provider of ["openai", "workers_ai"]) {
  for (const [how, words, never] of THINKING) {
    test(`thinking of ${provider}, ${how}, is in no stream, record, cache, history or answer for servers`, async () => {
      const name = `think-${provider.replace("_", "-")}-${how}`;
      const requests = vendors.does(name, sends((vendor) => says(vendor, words)));
      const mine = await owner(provider, name, { answers: { cache_seconds: 600 } });
      const me = await mine.visitor();
      const list = await me.ask(QUESTION);
      assert.equal(text(assemble(list)), WHOLE);
      if (never) assert.ok(!JSON.stringify(list).includes(THOUGHT));
      assert.equal(text((await me.history()).items[1].blocks), WHOLE);
      // The next visitor is given the same from the cache.
      const cached = await (await mine.visitor()).ask(QUESTION);
      assert.ok(last(cached).cached && !JSON.stringify(cached).includes(THOUGHT));
      // The conversation goes on.
      const more = await me.ask("Et avant ?");
      assert.ok(!JSON.stringify(more).includes(THOUGHT), "by now the model is known");
      assert.ok(!requests.some(({ text }) => text.includes(THOUGHT)));
      assert.equal(requests.at(-1).text.includes("8 ans"), true);
      // An owner's server.
      const messages = [{ role: "user", content: "Et Rust ?" }, { role: "assistant", content: `<think>${THOUGHT}</think>Oui.` }, { role: "user", content: "Bien ?" }];
      const { choices } = await mine.client.chat.completions.create({ model: "bot", messages });
      assert.equal(choices[0].message.content, WHOLE);
      assert.ok(!requests.at(-1).text.includes(THOUGHT));
      const chunks = await Array.fromAsync(await mine.client.chat.completions.create({ model: "bot", messages, stream: true }));
      assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), WHOLE);
      assert.ok(!stored(name).includes(THOUGHT));
    });
  }
}

test("an answer that speaks of the marks is as it is", async () => {
  const said = ["Écris `<think>`", " avant et `</think>` après. Le signe <think> commence, </think> finit."];
  vendors.does("about", sends((vendor) => says(vendor, said)));
  const me = await (await owner("openai", "about")).visitor();
  assert.equal(text(assemble(await me.ask(QUESTION))), said.join("").replaceAll("`", ""));
});

test("a last event without its blank line is read, and the model asked once", async () => {
  const whole = `data: ${JSON.stringify({ choices: [{ delta: { content: WHOLE }, finish_reason: "stop" }] })}`;
  const message = JSON.stringify({ choices: [{ message: { content: WHOLE }, finish_reason: "stop" }] });
  for (const [n, body] of [whole, `${whole}\n`, message].entries()) {
    const requests = vendors.does(`blank-${n}`, sends([body]));
    const me = await (await owner("openai", `blank-${n}`)).visitor();
    const list = await me.ask(QUESTION);
    assert.deepEqual([text(assemble(list)), last(list).finish, requests.length], [WHOLE, "stop", 1]);
  }
});

test("a parameter that is refused is left out, remembered, and seen by the owner", async () => {
  const name = "of-the-deployment";
  const body = (message) => ({ response }) => response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: { message, type: "invalid_request_error" } }));
  const good = sends((vendor) => says(vendor, [WHOLE]));
  const requests = vendors.does(name, ({ asked, ...call }) => {
    if (asked.body.stream_options) return body("Unrecognized request argument supplied: stream_options")(call);
    if (asked.body.max_tokens) return body("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")(call);
    return good({ asked, ...call });
  });
  const mine = await owner("openai", name, { limits: { ...GENEROUS, budget: { tokens_per_day: 1_000_000 } } });
  const me = await mine.visitor();
  const first = await me.ask(QUESTION);
  assert.deepEqual([text(assemble(first)), requests.length], [WHOLE, 3]);
  assert.deepEqual(outcomes(name), ["refused", "refused", "answered"]);
  const second = await me.ask(QUESTION);
  assert.deepEqual([last(second).finish, requests.length], ["stop", 4], "nobody waits for a refusal again");
  assert.ok(requests.at(-1).body.max_completion_tokens > 0);
  for (const list of [first, second]) assert.deepEqual(evidence(last(list).reply_id).adapted, ["no stream_options", "max_completion_tokens instead of max_tokens"]);
  assert.match(edge.log(), /openai is asked otherwise: no stream_options, max_completion_tokens instead of max_tokens/);
  const { checks } = await (await fetch(`${edge.url}/health`)).json();
  assert.match(checks.find(({ name }) => name === "model").detail, /openai\/of-the-deployment \(no stream_options, max_completion_tokens instead of max_tokens\)/);
});

test("thinking, pings and comments keep a slow model from being given up", async () => {
  const thought = `data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: "hm" } }] })}\n\n`;
  const signs = [thought, ": OPENROUTER PROCESSING\n\n", "event: ping\ndata: {}\n\n"];
  vendors.does("slow", sends((vendor) => [...signs, ...signs, ...signs, ...says(vendor, [WHOLE])], { wait: 700 }));
  const me = await (await owner("openai", "slow", { model: { timeouts: { first_token_ms: 4_000, between_tokens_ms: 4_000 } } })).visitor();
  const list = await me.ask(QUESTION);
  assert.deepEqual([text(assemble(list)), last(list).finish], [WHOLE, "stop"]);
  assert.ok(database.prepare("SELECT first_token_ms AS ms FROM model_call WHERE tenant_id = 'slow'").get().ms > 4_000);
});

test("a model that refuses every request: the owner reads what to do, and the visitor that waiting does not help", async () => {
  const page = sends(["<!DOCTYPE html><title>Welcome to nginx</title>"]);
  for (const [name, script, times, help, outcome] of [
    ["refused-key", refuses(401), 1, /clé a été refusée \(HTTP 401\).*npx wrangler secret put OPENAI_API_KEY/, "refused"],
    ["refused-name", refuses(404), 1, /ne connaît pas le modèle refused-name.*OPENAI_BASE_URL/, "refused"],
    ["refused-all", refuses(400), 3, /refuse ce qu’on lui demande \(HTTP 400\)/, "refused"],
    ["refused-page", page, 1, /pas une réponse lisible.*OPENAI_BASE_URL/, "undecodable"],
  ]) {
    vendors.does(name, script);
    const mine = await owner("openai", name);
    const me = await mine.visitor();
    let list;
    for (let n = 0; n < times; n += 1) {
      me.conversationId = undefined;
      list = await me.ask("Saperlipopette ?");
    }
    assert.match(text(assemble(list)), /redemander bientôt n’y changera rien/, name);
    assert.equal(outcomes(name)[0], outcome);
    const told = async () => (await (await mine.fetch("/notices")).json()).items;
    let notices = await told();
    for (let n = 0; n < 100 && notices.length === 0; n += 1) notices = await told();
    assert.equal(notices.length, 1, name);
    assert.match(notices[0].detail.help, help, name);
  }
  assert.match(edge.log(), /openai: its key was refused \(HTTP 401\)/);
  assert.ok(!edge.log().includes("sk-secret") && !edge.log().includes(THOUGHT));
});
