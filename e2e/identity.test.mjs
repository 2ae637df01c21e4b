// The examples of docs/identity.md, run as they stand there: what they sign opens a session of a known visitor.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Visitor } from "./support/client.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";

let edge, owner, secret, folder, blocks;
before(async () => {
  const text = await readFile(`${ROOT}/docs/identity.md`, "utf8");
  const signing = text.slice(text.indexOf("## Signing"));
  blocks = Object.fromEntries([...signing.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language, code]) => [language, code]));
  folder = await mkdtemp(join(tmpdir(), "bulle-identity-"));
  edge = await startEdge();
  owner = await Owner.with(edge, "signed", { limits: GENEROUS });
  ({ secret } = await owner.post("/identity-secrets"));
});
after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  await edge?.stop();
});

const run = (command, args, more = {}) =>
  execFileSync(command, args, { encoding: "utf8", env: { ...process.env, BULLE_IDENTITY_SECRET: secret, ...more } }).trim();
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
