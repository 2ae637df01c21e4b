// Programs in other languages: the examples of docs/identity.md, unchanged, whose signature opens a session of a known
// visitor; and OpenAI's client for Python, unchanged.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Visitor } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { answer, cut, startUpstream, stream } from "./support/upstream.mjs";

let edge, upstream, owner, secret, folder, blocks, key;
before(async () => {
  const text = await readFile(`${ROOT}/docs/identity.md`, "utf8");
  const signing = text.slice(text.indexOf("## Signing"));
  blocks = Object.fromEntries([...signing.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language, code]) => [language, code]));
  folder = await mkdtemp(join(tmpdir(), "bulle-identity-"));
  upstream = await startUpstream();
  edge = await startEdge({ vars: { OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "gpt-4o-mini" } });
  owner = await Owner.with(edge, "signed", { limits: GENEROUS });
  ({ secret } = await owner.post("/identity-secrets"));
  ({ key } = await new Owner(edge, "maelle-kervadec").post("/keys", { name: "Server", scopes: ["chat:write"] }));
});
after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  upstream?.stop();
  await edge?.stop();
});

/** Runs a program, and gives its output. Meanwhile this process records which connections the edge closes. */
async function run(command, args, more = {}) {
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, BULLE_IDENTITY_SECRET: secret, ...more } });
  return stdout.trim();
}
const elsewhere = (file) => run(process.execPath, [`${ROOT}/e2e/languages/run.mjs`, file, `BULLE_IDENTITY_SECRET=${secret}`]);

const languages = {
  js: ["identity.mjs", (file) => run(process.execPath, [file])],
  python: ["identity.py", (file) => run("python3", [file])],
  php: ["identity.php", elsewhere],
  ruby: ["identity.rb", elsewhere],
  rust: [
    "rust/src/main.rs",
    async () => {
      await writeFile(join(folder, "rust/Cargo.toml"), `${blocks.toml}\n[workspace]\n`);
      const manifest = join(folder, "rust/Cargo.toml");
      return run("cargo", ["run", "--quiet", "--manifest-path", manifest], { CARGO_TARGET_DIR: `${ROOT}/target/identity-example` });
    },
  ],
};

for (const [language, [name, sign]] of Object.entries(languages)) {
  test(`${language} signs an identity`, async () => {
    const file = join(folder, name);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, blocks[language]);
    const identity = await sign(file);
    const { session } = await new Visitor(edge, { site: owner.site.key }).open({ identity });
    assert.deepEqual([session.visitor?.tier, session.visitor?.name], ["premium", "Ada Lovelace"], JSON.stringify(session));
  });
}

const ask = (content) => [{ role: "user", content }];
const QUESTION = "Quelle est ton expérience avec Kubernetes ?";
const say = (...words) => (upstream.behave = (response) => stream(response, answer(words)));

/** The output of OpenAI's client for Python. */
async function python(what) {
  const child = spawn(process.env.OPENAI_PYTHON, [`${ROOT}/e2e/openai/client.py`], { stdio: ["pipe", "pipe", "pipe"] });
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (error += data));
  child.stdin.end(JSON.stringify({ url: `${edge.url}/v1`, key, ...what }));
  const [code] = await once(child, "close");
  assert.equal(code, 0, error);
  return JSON.parse(out);
}

describe("the official client of Python", () => {
  test("reads answers, whole and in pieces", async () => {
    say("Oui ", "[1].");
    const request = { model: "digital-twin", messages: ask(QUESTION) };
    const whole = await python({ what: "answer", request });
    assert.deepEqual([whole.choices[0].message.content, whole.usage.total_tokens, whole.bulle.sources[0].n], ["Oui [1].", 13, 1]);
    const { chunks } = await python({ what: "answer", request: { ...request, stream: true, stream_options: { include_usage: true } } });
    assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "Oui [1].");
    assert.deepEqual([chunks.at(-2).bulle.finish, chunks.at(-1).usage.total_tokens], ["stop", 13]);
  });

  test("reads models, and errors as it knows them", async () => {
    assert.deepEqual(await python({ what: "models", model: "digital-twin" }), { models: ["digital-twin"], one: "maelle-kervadec" });
    const unknown = await python({ what: "answer", request: { model: "gpt-9", messages: ask("?") } });
    assert.deepEqual([unknown.kind, unknown.status, unknown.error.code, unknown.error.param], ["NotFoundError", 404, "model_not_found", "model"]);
    assert.match(unknown.request_id, /^[0-9A-Z]{26}$/);
    const wrong = await python({ what: "models", model: "digital-twin", key: "bulle_x" });
    assert.deepEqual([wrong.kind, wrong.error.code], ["AuthenticationError", "invalid_api_key"]);
    upstream.behave = (response) => cut(response, answer(["Oui, ", "mais"]).slice(0, 2).join(""));
    const { chunks, error } = await python({ what: "answer", request: { model: "digital-twin", messages: ask(QUESTION), stream: true } });
    assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "Oui, mais");
    assert.equal(error.code, "upstream_interrupted");
  });
});
