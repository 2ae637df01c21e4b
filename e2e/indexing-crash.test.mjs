// Indexing when workerd is killed, as in a power failure, at several points.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rm } from "node:fs/promises";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { FAST, answering, ask, found, newOwner, rows, settled, uploaded } from "./support/knowledge.mjs";
import { pause, until } from "./support/wait.mjs";

test("whenever the machine dies, the old version answers until the new one is complete, and nothing stands twice", async () => {
  const state = await stateFolder();
  const vars = FAST;
  let mine = await startEdge({ state, vars });
  let db = openDatabase(mine);
  try {
    const owner = await newOwner(mine);
    const book = (word, sections) => `# Manual\n\nThe code word is ${word}.\n\n` + Array.from({ length: sections }, (_, n) =>
      `## Section ${n}\n\n${`The ${word} of section ${n} is described here at some length, with many words. `.repeat(6)}\n\n`).join("");
    const source = await uploaded(owner, "manual.md", book("alabaster", 5));
    await settled(owner, source.id);
    const sections = 12_000;
    const put = async (word) => {
      const response = await owner.fetch(`${owner.at}/${source.id}/file?name=manual.md`, {
        method: "PUT", body: Buffer.from(book(word, sections)), headers: { "if-match": "*", "content-type": "text/markdown" },
      });
      assert.equal(response.status, 200);
    };
    const stored = () => db.prepare("SELECT generation, status, staged, done FROM source WHERE id = ?").get(source.id);
    /** Waits until at least this many chunks of the next version are written. */
    const written = async (least) => {
      await until(() => `${least} chunks are written: ${JSON.stringify(stored())}`, () => stored().staged !== "" && stored().done >= least, { every: 1 });
    };
    let [old, generation] = ["alabaster", 1];
    for (const [word, least, where] of [["obsidian", -1, "before anything"], ["porphyry", 200, "at the first chunks"], ["malachite", 6_000, "in the middle"]]) {
      await put(word);
      if (least >= 0) await written(least);
      db.close();
      await mine.kill();
      db = openDatabase(mine);
      // Killed during the work: the chunks written so far are not found, the earlier ones are.
      assert.equal(stored().generation, generation, where);
      assert.ok(stored().done >= least, where);
      assert.equal(found(owner, word, db) > 0, least >= 0, where);
      assert.deepEqual([answering(owner, old, db) > 0, answering(owner, word, db)], [true, 0], where);
      db.close();
      mine = owner.edge = await startEdge({ state, port: mine.port, vars });
      db = openDatabase(mine);
      const ready = await settled(owner, source.id);
      assert.equal(ready.status, "ready", JSON.stringify(ready));
      assert.equal(ready.progress.done, ready.progress.total);
      generation += 1;
      assert.equal(stored().generation, generation, where);
      assert.match((await ask(owner, "What is the code word?")).said, new RegExp(word), where);
      await until("what was before is gone", () => rows(owner, "chunk", db, `generation <> ${generation} AND generation >= 0`) === 0);
      const positions = db.prepare("SELECT count(*) AS n, count(DISTINCT position) AS d, min(position) AS a, max(position) AS b FROM chunk WHERE source_id = ? AND generation = ?").get(source.id, generation);
      assert.deepEqual({ ...positions }, { n: ready.progress.total, d: ready.progress.total, a: 0, b: ready.progress.total - 1 });
      assert.deepEqual([found(owner, word, db), found(owner, old, db)], [ready.progress.total, 0]);
      old = word;
    }
    // Asked during indexing.
    await put("tourmaline");
    await written(200);
    const { said } = await ask(owner, "What is the code word?");
    // Indexing may have ended during the question.
    assert.match(said, stored().generation === generation ? /malachite/ : /malachite|tourmaline/);
    await settled(owner, source.id);
    // Deleted while its next version is written: no chunk comes back.
    await put("sapphire");
    await written(200);
    await owner.remove(`${owner.at}/${source.id}`);
    await pause(1_500);
    for (const table of ["source", "source_text"]) assert.equal(rows(owner, table, db, "1"), 0, table);
    assert.equal(rows(owner, "chunk", db, "generation >= 0"), 0);
    assert.equal(found(owner, "", db), 0);
  } finally {
    db.close();
    await mine.stop();
    await rm(state, { recursive: true, force: true });
  }
});
