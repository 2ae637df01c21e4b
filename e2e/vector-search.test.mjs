// Passages found by the vector index, beside those found by words: real workerd, and a server that stands in for
// Workers AI and Vectorize.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { rm } from "node:fs/promises";
import { Visitor, assemble, text } from "./support/client.mjs";
import { INDEX, TOKEN, namespace, startCloudflare } from "./support/cloudflare.mjs";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { FAST, ask, newOwner, rows, settled, show, uploaded } from "./support/knowledge.mjs";
import { answer, startUpstream, stream } from "./support/upstream.mjs";
import { pause, until } from "./support/wait.mjs";

const CAR = "# Garage\n\nOur red car reaches 210 km per hour.\n";
const DOG = "# Kennel\n\nThe old dog sleeps all day.\n";
/** A question of which the documents contain no word. */
const OTHER_WORDS = "Which automobile is available?";

let cloudflare, upstream, edge, database;
before(async () => {
  cloudflare = await startCloudflare();
  upstream = await startUpstream();
  edge = await startEdge({ vars: { ...FAST, ...cloudflare.vars, OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "mock" } });
  database = openDatabase(edge);
});
after(async () => {
  database?.close();
  await edge?.stop();
  upstream?.stop();
  cloudflare?.stop();
});
beforeEach(() => {
  cloudflare.instead = undefined;
  cloudflare.leaks = false;
  upstream.requests.length = 0;
  upstream.behave = (response) => stream(response, answer(["It is said ", "so [1]."]));
});

const pending = (owner) => rows(owner, "chunk", database, "embedded <= 0 AND generation >= 0");
const unwanted = () => database.prepare("SELECT count(*) AS n FROM vector_unwanted").get().n;
const embedded = (owner, count) =>
  until(`${count} chunks have vectors`, () => pending(owner) === 0 && rows(owner, "chunk", database, "embedded > 0") === count && cloudflare.of(owner).length === count);

/** An owner whose bot has these files, with their vectors. */
async function knowing(...files) {
  const owner = await newOwner(edge);
  owner.sources = [];
  for (const [n, file] of files.entries()) owner.sources.push(await uploaded(owner, `${n}.md`, file));
  for (const { id } of owner.sources) assert.equal((await settled(owner, id)).status, "ready");
  await embedded(owner, files.length);
  return owner;
}

/** Asks again until the vector index's pause after a failure is over. */
async function rested(owner, question, wanted) {
  let said;
  await until("it is asked again", async () => {
    said = await ask(owner, question);
    return wanted(said);
  });
  return said;
}
const prompt = () => JSON.stringify(upstream.requests.at(-1).body.messages);

describe("by meaning", () => {
  test("a question in other words finds its passage, and each request is the bot's own", async () => {
    cloudflare.requests.length = 0;
    const owner = await knowing(CAR, DOG);
    const said = await ask(owner, OTHER_WORDS);
    assert.match(prompt(), /210 km per hour/);
    assert.doesNotMatch(prompt(), /old dog/);
    assert.match(said.sources[0].title, /Garage/);
    assert.match(said.sources[0].snippet, /red car/);
    assert.ok(cloudflare.requests.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
    assert.ok(cloudflare.requests.every(({ name }) => name), JSON.stringify(cloudflare.requests.map(({ url }) => url)));
    const lines = cloudflare.asked("upsert").flatMap(({ body }) => body);
    assert.deepEqual(lines.map((line) => line.namespace), [namespace(owner), namespace(owner)]);
    assert.ok(lines.every(({ id, values }) => id.length <= 64 && values.length === 6));
    assert.ok(cloudflare.asked("upsert").every(({ type }) => type === "application/x-ndjson"));
    const [query] = cloudflare.asked("query");
    assert.deepEqual([query.body.namespace, query.body.topK, query.body.vector.length], [namespace(owner), 20, 6]);
    assert.deepEqual(cloudflare.asked("run").at(-1).body, { text: [OTHER_WORDS] });
    // A greeting is not searched for.
    const before = cloudflare.requests.length;
    await ask(owner, "Hello!");
    assert.equal(cloudflare.requests.length, before);
    assert.ok(!edge.log().includes(TOKEN) && !edge.log().includes("automobile"));
  });

  test("what holds the words and what is meant stand together", async () => {
    const owner = await knowing(CAR, DOG, "# Prices\n\nEvery automobile is taxed at 12 euros.\n");
    await ask(owner, "Which automobile?");
    assert.match(prompt(), /12 euros/);
    assert.match(prompt(), /210 km per hour/);
    assert.doesNotMatch(prompt(), /old dog/);
  });

  test("without a model nothing is quoted that holds none of the words", async () => {
    const owner = await knowing(CAR, DOG);
    upstream.behave = (response) => response.writeHead(400).end("{}");
    const said = await ask(owner, OTHER_WORDS);
    assert.doesNotMatch(said.said, /210/);
    assert.deepEqual(said.sources, []);
    assert.match((await ask(owner, "How fast is the red car?")).said, /210/);
  });

  test("nobody sees the passages of others, whatever the index says", async () => {
    const [mine, theirs] = [await knowing(DOG), await knowing(CAR)];
    cloudflare.leaks = true;
    const said = await ask(mine, OTHER_WORDS);
    const { body } = cloudflare.asked("query").at(-1);
    assert.equal(body.namespace, namespace(mine));
    assert.ok(cloudflare.of(theirs).length === 1);
    assert.doesNotMatch(prompt(), /210/);
    assert.deepEqual(said.sources, []);
    assert.match((await ask(theirs, OTHER_WORDS), prompt()), /210/);
  });

  test("/health names the model and the index", async () => {
    const { ok, checks } = await (await fetch(`${edge.url}/health`)).json();
    const check = checks.find(({ name }) => name === "meaning");
    assert.deepEqual([ok, check.ok, check.detail], [true, true, `@cf/baai/bge-m3 in ${INDEX}`]);
  });
});

describe("what fails", () => {
  const json = (response, result) => response.end(JSON.stringify({ result, success: true }));
  for (const [what, instead] of [
    ["refuses", (_, response) => response.writeHead(403).end("{}")],
    ["has had enough", (_, response) => response.writeHead(429, { "retry-after": "1" }).end("{}")],
    ["hangs", () => true],
    ["trickles", (_, response) => (response.writeHead(200).write("{"), true)],
    ["breaks off", (_, response) => (response.writeHead(200, { "content-length": "999" }).write("{"), setTimeout(() => response.destroy(), 20), true)],
    ["answers nonsense", (_, response) => response.writeHead(200).end("<html>")],
    ["answers no vector", (_, response) => json(response, { data: [] })],
    ["answers words for numbers", (_, response) => json(response, { data: [["a\n\"}"]], matches: [{ id: "x", score: "y" }] })],
    ["answers nonsense to a query", (name, response) => name === "query" && response.writeHead(200).end("[]")],
    ["knows only what nobody knows", (name, response) => name === "query" && json(response, { matches: ["", "1", "1-1", "x", "9".repeat(60)].map((id) => ({ id, score: 0.99 })) })],
  ]) {
    test(`when it ${what}, words find what they find`, async () => {
      const owner = await knowing(CAR, DOG);
      const asked = cloudflare.requests.length;
      // The vector index was not asked for a while after its failure.
      await rested(owner, "red car?", () => cloudflare.requests.length > asked);
      cloudflare.instead = instead;
      const started = Date.now();
      const log = edge.log().length;
      const said = await ask(owner, "What does the red car reach?");
      assert.ok(Date.now() - started < 4_000, `${Date.now() - started} ms`);
      assert.match(prompt(), /210 km per hour/);
      assert.match(said.sources[0].title, /Garage/);
      if (!what.includes("nobody")) await until("the log says so", () => edge.log().slice(log).includes("no passages by meaning: "));
      assert.ok(!edge.log().includes(TOKEN));
      cloudflare.instead = undefined;
      await rested(owner, OTHER_WORDS, () => prompt().includes("210 km"));
    });
  }

  test("one that hangs is waited for once, not by every visitor", async () => {
    const owner = await knowing(CAR);
    const waits = await startEdge({ vars: { ...cloudflare.vars, MEANING_RETRY_MS: "60000" } });
    try {
      cloudflare.instead = () => true;
      const mine = await newOwner(waits);
      await settled(mine, (await uploaded(mine, "a.md", CAR)).id);
      const took = [];
      for (let n = 0; n < 3; n += 1) {
        const started = Date.now();
        assert.match((await ask(mine, "How fast is the red car?")).said, /210/);
        took.push(Date.now() - started);
      }
      assert.ok(took[0] >= 900 && took[1] < 900 && took[2] < 900, took.join(" "));
    } finally {
      await waits.stop();
    }
    assert.equal(cloudflare.of(owner).length, 1);
  });

  test("while vectors cannot be made, sources are ready; afterwards all have one", async () => {
    const owner = await newOwner(edge);
    cloudflare.instead = (_, response) => response.writeHead(500).end();
    const source = await uploaded(owner, "a.md", CAR);
    const ready = await settled(owner, source.id);
    assert.deepEqual([ready.status, ready.failure, ready.progress], ["ready", undefined, { done: 1, total: 1 }]);
    await until("it was tried", () => edge.log().includes("\"meaning\":\"Cloudflare answered 500 to ai/run/"));
    assert.deepEqual([pending(owner), cloudflare.of(owner)], [1, []]);
    const again = await settled(owner, (await uploaded(owner, "b.md", DOG)).id);
    assert.equal(again.status, "ready");
    cloudflare.instead = undefined;
    await embedded(owner, 2);
    assert.equal((await show(owner, source.id)).status, "ready");
  });
});

describe("vectors", () => {
  test("go with their source, and with what it said before", async () => {
    const owner = await knowing(CAR, DOG);
    const { old } = database.prepare("SELECT id || '-' || embedded AS old FROM chunk WHERE source_id = ?").get(owner.sources[0].id);
    assert.ok(cloudflare.vectors.has(old));
    const put = await owner.fetch(`${owner.at}/${owner.sources[0].id}/file?name=0.md`, { method: "PUT", body: Buffer.from("# Garage\n\nNow we have a blue loaf.\n"), headers: { "if-match": "*", "content-type": "text/markdown" } });
    assert.equal(put.status, 200);
    assert.equal((await settled(owner, owner.sources[0].id)).status, "ready");
    await until("the new one is there and the old one is gone", () => cloudflare.of(owner).length === 2 && !cloudflare.vectors.has(old) && pending(owner) === 0);
    await owner.remove(`${owner.at}/${owner.sources[0].id}`);
    await until("only the other is left", () => cloudflare.of(owner).length === 1 && unwanted() === 0);
    await ask(owner, "Any loaf?");
    assert.doesNotMatch(prompt(), /blue loaf/);
  });

  test("go with what an answer has quoted, which is kept without one", async () => {
    const owner = await knowing(CAR);
    await ask(owner, OTHER_WORDS);
    await until("the answer is kept", () => rows(owner, "message", database, "role = 'assistant'") === 1);
    await owner.remove(`${owner.at}/${owner.sources[0].id}`);
    await until("its vector is gone", () => cloudflare.of(owner).length === 0 && unwanted() === 0);
    assert.equal(rows(owner, "chunk", database, "generation = -1 AND embedded = 0"), 1);
  });

  test("go with their bot and with their tenant, also when that fails at first", async () => {
    const [one, two] = [await knowing(CAR, DOG), await knowing(CAR)];
    await one.remove("/bots/bot");
    await until("the vectors of the bot are gone", () => cloudflare.of(one).length === 0 && unwanted() === 0);
    assert.equal(cloudflare.of(two).length, 1);
    cloudflare.instead = (_, response) => response.writeHead(503).end();
    await two.remove("");
    await pause(500);
    assert.equal(unwanted(), 1);
    cloudflare.instead = undefined;
    await until("the vectors of the tenant are gone", () => cloudflare.of(two).length === 0 && unwanted() === 0);
  });

  test("are made in batches, each chunk's once", async () => {
    const owner = await newOwner(edge);
    cloudflare.requests.length = 0;
    const book = Array.from({ length: 130 }, (_, n) => `## Part ${n}\n\n${`The car of part ${n} is described at some length here, in many words. `.repeat(8)}\n`).join("\n");
    const { id } = await uploaded(owner, "book.md", `# Book\n\n${book}`);
    const { progress } = await settled(owner, id);
    assert.ok(progress.total > 100);
    await embedded(owner, progress.total);
    const sizes = cloudflare.asked("run").map(({ body }) => body.text.length);
    assert.ok(sizes.every((size) => size <= 50) && sizes.length <= Math.ceil(progress.total / 50) + 1, sizes.join(" "));
    const sent = cloudflare.asked("upsert").flatMap(({ body }) => body.map((line) => line.id));
    assert.equal(new Set(sent).size, sent.length);
  });

  test("of what was there before are made when somebody asks", async () => {
    // The seeded twin was not read by this object.
    const visitor = await new Visitor(edge, { site: "twin-demo", locale: "fr" }).open();
    await visitor.ask("Un orchestrateur ?");
    const left = () => database.prepare("SELECT count(*) AS n FROM chunk WHERE tenant_id = 'maelle-kervadec' AND generation >= 0 AND embedded <= 0").get().n;
    await until("all have vectors", () => left() === 0);
    upstream.requests.length = 0;
    const list = await visitor.ask("Un orchestrateur ?");
    assert.match(prompt(), /Kubernetes/);
    assert.match(text(assemble(list)), /said so/);
  });
});

test("whenever the machine dies, each chunk has one vector in the end", async () => {
  const state = await stateFolder();
  const vars = { ...FAST, ...cloudflare.vars };
  let mine = await startEdge({ state, vars });
  let db = openDatabase(mine);
  try {
    const owner = await newOwner(mine);
    // The vectors are stored in the index, but the response is lost.
    let held = 0;
    cloudflare.instead = (name) => {
      if (name !== "upsert" || held > 0) return false;
      held += 1;
      for (const { id, values, namespace } of cloudflare.requests.at(-1).body) cloudflare.vectors.set(id, { values, namespace });
      return true;
    };
    await settled(owner, (await uploaded(owner, "a.md", CAR)).id);
    await until("it is sent", () => held === 1);
    const sent = cloudflare.of(owner);
    db.close();
    await mine.kill();
    mine = owner.edge = await startEdge({ state, port: mine.port, vars });
    db = openDatabase(mine);
    await until("it is noted", () => rows(owner, "chunk", db, "embedded > 0") === 1);
    assert.deepEqual(cloudflare.of(owner), sent);
  } finally {
    db.close();
    await mine.stop();
    await rm(state, { recursive: true, force: true });
  }
});

test("nobody is asked anything when it is off, or half on, which /health tells", async () => {
  const { CLOUDFLARE_API_TOKEN, ...half } = cloudflare.vars;
  assert.ok(CLOUDFLARE_API_TOKEN);
  for (const vars of [{ CLOUDFLARE_API_URL: cloudflare.url }, half]) {
    const off = await startEdge({ vars: { ...FAST, ...vars } });
    const db = openDatabase(off);
    try {
      cloudflare.requests.length = 0;
      const owner = await newOwner(off);
      const { id } = await uploaded(owner, "a.md", CAR);
      await settled(owner, id);
      assert.match((await ask(owner, "How fast is the red car?")).said, /210/);
      await owner.remove(`${owner.at}/${id}`);
      await pause(300);
      assert.deepEqual(cloudflare.requests, []);
      assert.equal(db.prepare("SELECT count(*) AS n FROM vector_unwanted").get().n, 0);
      const { ok, checks } = await (await fetch(`${off.url}/health`)).json();
      const check = checks.find(({ name }) => name === "meaning");
      assert.ok(ok);
      if (vars === half) {
        assert.equal(check.ok, false);
        assert.match(check.detail, /set CLOUDFLARE_API_TOKEN too, or none of/);
      } else {
        assert.equal(check, undefined);
      }
    } finally {
      db.close();
      await off.stop();
    }
  }
});
