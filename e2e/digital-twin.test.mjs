// Questions to the digital twin, in French and English and without a model: e2e/twin/questions.json. The answer must
// state the facts and cite the right section first; a question for facts that the documents lack must not be answered.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Visitor, assemble, text } from "./support/client.mjs";

const questions = JSON.parse(await readFile(`${ROOT}/e2e/twin/questions.json`, "utf8"));

/** The sentence of an admission, and the one that introduces suggested topics. */
const ADMITS = {
  fr: /^je n'ai rien trouvé à ce sujet dans mes documents\.\n+je peux vous parler de/,
  en: /^i could not find anything about that in my documents\.\n+i can tell you about/,
};
const TOPICS = { fr: "formation", en: "education" };

let edge;
before(async () => {
  edge = await startEdge();
});
after(() => edge?.stop());

const plain = (words) => words.toLowerCase().replace(/[\u00a0\u202f]/g, " ").replace(/’/g, "'");

/** Each question as the first of a conversation; a visitor is limited to some messages a minute. */
async function ask(all) {
  const out = [];
  const visitors = {};
  for (const asked of all) {
    const visitor = (visitors[asked.locale] ??= await new Visitor(edge, { locale: asked.locale }).open());
    visitor.conversationId = undefined;
    const list = await visitor.ask(asked.question);
    const said = text(assemble(list));
    const sources = list.find(({ event }) => event === "sources")?.data.items ?? [];
    const first = sources.find(({ n }) => n === Number(/\[(\d+)\]/.exec(said)?.[1]));
    out.push({ ...asked, said: plain(said), first: first?.url ?? "" });
  }
  return out;
}

test("20 questions are answered with the fact and, first, its source", async () => {
  assert.equal(questions.answered.length, 20);
  const wrong = (await ask(questions.answered)).filter(
    ({ facts, sources, said, first }) =>
      !facts.every((fact) => said.includes(plain(fact))) || !sources.some((source) => first.endsWith(source)),
  );
  assert.deepEqual(wrong, []);
});

test("10 that the documents do not answer are told so, with what may be asked", async () => {
  assert.equal(questions.unanswered.length, 10);
  const wrong = (await ask(questions.unanswered)).filter(
    ({ locale, said, first }) => !ADMITS[locale].test(said) || !said.includes(TOPICS[locale]) || first !== "",
  );
  assert.deepEqual(wrong, []);
});
