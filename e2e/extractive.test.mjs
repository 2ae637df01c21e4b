// The embedded model, which answers from the documents without a key, on the questions of
// examples/digital-twin/questions.md.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text } from "./support/client.mjs";

/** Questions for a fact that the documents lack, although they contain the words. */
const KNOWN_MISS = "Comment s'appelle sa responsable chez Cartovent ?";

let edge, lines;
before(async () => {
  edge = await startEdge();
  lines = (await readFile(`${ROOT}/examples/digital-twin/questions.md`, "utf8")).split("\n");
});
after(() => edge?.stop());

const plain = (words) => words.toLowerCase().replace(/[\u00a0\u202f]/g, " ").replace(/’/g, "'");

/** The answers, one after the other; a visitor is limited to some messages a minute. */
async function* answers(questions) {
  let me;
  for (const [n, { question, locale }] of questions.entries()) {
    if (n % 15 === 0) me = await new Visitor(edge, { locale }).open();
    me.conversationId = undefined;
    const list = await me.ask(question);
    const sources = list.find(({ event }) => event === "sources")?.data.items ?? [];
    yield { said: plain([text(assemble(list)), ...sources.map(({ title }) => title)].join("\n")), sources };
  }
}

test("every question that the documents answer is answered, with its source", async () => {
  const rows = lines.filter((line) => /^\| .*\| (fr|en) \|/.test(line)).map((line) => line.split("|").map((cell) => cell.trim()));
  const questions = rows.map(([, question, locale, words]) => ({ question, locale, words: words.split(";") }));
  assert.equal(questions.length, 20);
  let n = 0;
  for await (const { said, sources } of answers(questions)) {
    const { question, words } = questions[n++];
    for (const word of words) assert.ok(said.includes(plain(word.trim())), `${question}\nwants ${word}, got ${said}`);
    assert.ok(sources.length > 0, question);
  }
});

test("a question that they do not answer is told so", async () => {
  const questions = lines
    .filter((line) => /^- .*\?$/.test(line))
    .map((line) => ({ question: line.slice(2), locale: /^(What|Which|Who) /.test(line.slice(2)) ? "en" : "fr" }));
  assert.equal(questions.length, 10);
  let n = 0;
  for await (const { said } of answers(questions)) {
    const { question } = questions[n++];
    if (question !== KNOWN_MISS) assert.match(said, /rien trouvé|could not find/, question);
  }
});
