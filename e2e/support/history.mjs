// A long conversation, written directly into the database, because asking 2,000 questions would take all day.
import { Visitor, ulid } from "./client.mjs";
import { openDatabase } from "./edge.mjs";

/** The text of a stored message. */
export const said = (n) => `message ${n} of the past`;

/** An answer as models write it: paragraphs, a list, code. */
const answer = (n) => [
  { type: "paragraph", content: [{ type: "text", text: `${said(n)}. ` }, { type: "strong", content: [{ type: "text", text: "Yes" }] }, { type: "text", text: ", with words that fill more than one line of the panel, as answers do." }] },
  { type: "list", ordered: false, start: 1, items: ["one", "two"].map((text) => [{ type: "paragraph", content: [{ type: "text", text }] }]) },
  { type: "code", language: "js", text: "const answer = 42;" },
];

/** A visitor with a conversation of `count` messages; returns the data that the browser stores of them. */
export async function seedHistory(edge, count, options = {}) {
  const visitor = await new Visitor(edge, options).open();
  const id = await visitor.conversation();
  const database = openDatabase(edge);
  const { tenant_id: tenant, bot_id: bot } = database.prepare("SELECT tenant_id, bot_id FROM site WHERE key = ?").get(visitor.site);
  const insert = database.prepare(
    "INSERT INTO message (tenant_id, conversation_id, position, id, role, text, blocks, sources, status, reply_to, finish, created_at) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, '[]', 'complete', ?, ?, ?)",
  );
  const begun = Date.now() - count * 1000;
  let question;
  database.exec("BEGIN");
  database
    .prepare("INSERT INTO conversation (tenant_id, id, bot_id, visitor_id, title, created_at, updated_at) VALUES (?, ?, ?, ?, 'Past', ?, ?)")
    .run(tenant, id, bot, visitor.session.visitor.id, begun, begun + count * 1000);
  for (let n = 0; n < count; n += 1) {
    const [mine, time] = [n % 2 === 0, begun + n * 1000];
    const message = ulid(time);
    const role = mine ? "user" : "assistant";
    insert.run(tenant, id, n, message, role, said(n), JSON.stringify(mine ? [] : answer(n)), mine ? null : question, mine ? null : "stop", time);
    question = message;
  }
  database.exec("COMMIT");
  database.close();
  return { key: `bulle:${visitor.site}`, text: JSON.stringify({ token: visitor.token, conversation: id }) };
}
