// How fast documents are indexed and found in real workerd, and the memory that this takes: documents of many passages,
// a PDF of 300 pages, and a site of 1,000 pages, compared with a client that only fetches it.
import { Visitor } from "../support/client.mjs";
import { startDev } from "../support/dev.mjs";
import { openDatabase } from "../support/edge.mjs";
import { newOwner, settled, uploaded } from "../support/knowledge.mjs";
import { page, startWeb } from "../support/web.mjs";
import { Workerd } from "./workerd.mjs";

const PAGES = 1_000;
const QUESTIONS = 60;
const A_FILE = 10_000;
const PATIENCE = { patience: 900_000 };

const web = await startWeb();
const edge = await startDev({ vars: { FETCH_LOCAL: web.host, CRAWLER_PAUSE_MS: "0" } });
const database = openDatabase(edge);
const workerd = new Workerd(new URL(edge.url).port);
try {
  await reading();
  await finding();
} finally {
  database.close();
  await edge.stop();
  web.stop();
}

/** Words that depend only on the number; none of them is in every text. */
function words(n, count) {
  const list = [];
  for (let state = n + 1; list.length < count; ) {
    state = (state * 48_271) % 2_147_483_647;
    list.push(`${"bcdfghklmnprst"[state % 14]}${"aeiou"[state % 5]}${"lmnrst"[state % 6]}${"aeiou"[(state >> 3) % 5]}${(state >> 5) % 400}`);
  }
  return list.join(" ");
}

/** Markdown with that many sections of one passage each. */
function markdown(sections, first = 0) {
  const section = (n) => `## Section ${n}\n\nThe price of item ${n} is ${n} euros. ${words(n, 60)}.\n`;
  return `# Catalogue\n\n${Array.from({ length: sections }, (_, n) => section(first + n)).join("\n")}`;
}

/** A PDF with a page of text for each number. */
function pdf(pages) {
  const objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"];
  const kids = [];
  for (let n = 0; n < pages; n += 1) {
    const lines = Array.from({ length: 40 }, (_, line) => `(${words(n * 40 + line, 10)}.) ' `);
    const content = `BT /F 11 Tf 14 TL 50 780 Td (Chapter ${n}) Tj ${lines.join("")}ET`;
    kids.push(`${objects.length + 1} 0 R`);
    objects.push(`<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents ${objects.length + 2} 0 R>>`);
    objects.push(`<</Length ${content.length}>>stream\n${content}\nendstream`);
  }
  objects[1] = `<</Type/Pages/Kids[${kids.join(" ")}]/Count ${pages}>>`;
  let file = "%PDF-1.7\n";
  const at = objects.map((object, n) => {
    const offset = file.length;
    file += `${n + 1} 0 obj\n${object}\nendobj\n`;
    return String(offset).padStart(10, "0");
  });
  const xref = file.length;
  return `${file}xref\n0 ${at.length + 1}\n0000000000 65535 f \n${at.map((offset) => `${offset} 00000 n \n`).join("")}trailer<</Size ${at.length + 1}/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF\n`;
}

async function reading() {
  const row = ([what, ...cells]) => console.log(what.padEnd(44) + cells.map((cell) => String(cell).padStart(12)).join(""));
  row(["until it answers", "KB", "passages", "seconds", "passages/s", "MB at peak", "MB more"]);
  const measured = async (what, add) => {
    const owner = await newOwner(edge);
    workerd.forgetPeak();
    const before = workerd.memory().now;
    const started = performance.now();
    const { id, bytes } = await add(owner);
    const source = await settled(owner, id, PATIENCE);
    if (source.status !== "ready") throw new Error(`${what}: ${JSON.stringify(source.failure)}`);
    const seconds = (performance.now() - started) / 1000;
    const passages = database.prepare("SELECT count(*) AS n FROM chunk WHERE tenant_id = ?").get(owner.tenant).n;
    const { peak } = workerd.memory();
    row([what, Math.round(bytes / 1024), passages, seconds.toFixed(2), Math.round(passages / seconds), Math.round(peak), Math.round(peak - before)]);
    return seconds;
  };
  const file = (name, body) => async (owner) => ({ ...(await uploaded(owner, name, body, { query: "&title=Document" })), bytes: body.length });
  await measured("Markdown, 100 sections", file("small.md", markdown(100)));
  await measured("Markdown, 10,000 sections", file("large.md", markdown(10_000)));
  await measured("PDF, 300 pages", file("book.pdf", pdf(300)));

  let bytes = 0;
  for (let n = 0; n < PAGES; n += 1) {
    const links = Array.from({ length: 10 }, (_, link) => `/p${(n * 10 + link + 1) % PAGES}`);
    const path = n === 0 ? "/" : `/p${n}`;
    web.pages[path] = page(`Page ${n}`, `The price of item ${n} is ${n} euros. ${words(n, 200)}.`, links);
    bytes += web.pages[path].length;
  }
  const walk = await measured(`a site of ${PAGES.toLocaleString("en")} pages`, async (owner) => {
    const source = await owner.post(owner.at, { kind: "site", url: `${web.url}/`, max_pages: PAGES, max_depth: 50 });
    return { ...source, bytes };
  });
  const started = performance.now();
  for (const path of Object.keys(web.pages)) await (await fetch(web.url + path)).text();
  const bare = (performance.now() - started) / 1000;
  console.log(`\nNode fetches these pages one after another in ${bare.toFixed(2)} s; Bulle, which also reads and indexes them, takes ${(walk / bare).toFixed(1)} times as long.\n`);
}

/** A conversation of its own for each question, so that none has a history. */
async function finding() {
  console.log("a question, to its last event".padEnd(44) + ["passages", "p50 ms", "p95 ms", "ratio"].map((cell) => cell.padStart(12)).join(""));
  let baseline;
  for (const sections of [100, 10_000, 100_000]) {
    const owner = await newOwner(edge);
    for (let first = 0; first < sections; first += A_FILE) {
      const { id } = await uploaded(owner, `catalogue-${first}.md`, markdown(Math.min(A_FILE, sections), first));
      await settled(owner, id, PATIENCE);
    }
    const me = await new Visitor(edge, { site: owner.site.key, locale: "en" }).open();
    const times = [];
    for (let n = 0; n < QUESTIONS; n += 1) {
      const item = (n * 37) % sections;
      await me.conversation();
      const started = performance.now();
      const list = await me.ask(`What is the price of item ${item}?`);
      if (n >= 10) times.push(performance.now() - started);
      if (list.at(-1).event !== "done") throw new Error(JSON.stringify(list.at(-1)));
    }
    times.sort((a, b) => a - b);
    const [p50, p95] = [times[times.length >> 1], times[Math.floor(times.length * 0.95)]];
    baseline ??= p50;
    console.log("without a model".padEnd(44) + [sections.toLocaleString("en"), p50.toFixed(1), p95.toFixed(1), (p50 / baseline).toFixed(2)].map((cell) => cell.padStart(12)).join(""));
  }
}
