// `cargo xtask bench lighthouse`: Lighthouse's scores of the page of examples/plain with the bubble's tag and without
// it, on the phone and the network that it simulates. Prints a table. Lighthouse is installed beside this file when it
// is run.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { startDev } from "../../support/dev.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROUNDS = Number(process.env.BULLE_ROUNDS ?? 3);
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const WITH = "with the tag";
const WITHOUT = "without";

/** Name, unit, decimals, and the path in Lighthouse's result. */
const audit = (id) => ({ audits }) => audits[id].numericValue;
const MEASURES = [
  ...CATEGORIES.map((id) => [id, "of 100", 0, ({ categories }) => categories[id].score * 100]),
  ["First Contentful Paint", "ms", 0, audit("first-contentful-paint")],
  ["Largest Contentful Paint", "ms", 0, audit("largest-contentful-paint")],
  ["Total Blocking Time", "ms", 0, audit("total-blocking-time")],
  ["Cumulative Layout Shift", "score", 4, audit("cumulative-layout-shift")],
  ["Speed Index", "ms", 0, audit("speed-index")],
  ["bytes over the wire", "bytes", 0, audit("total-byte-weight")],
  ["requests", "number", 0, ({ audits }) => audits["network-requests"].details.items.length],
];

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const progress = (what) => console.error(`[${(performance.now() / 1000).toFixed(0).padStart(4)} s] ${what}`);

if (!existsSync(`${HERE}node_modules/.package-lock.json`)) {
  progress("npm ci: Lighthouse (about 180 MB, once)");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: HERE, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (status !== 0) throw new Error("Lighthouse could not be installed by npm: run `npm ci` in e2e/bench/lighthouse to see why");
}
const { default: lighthouse } = await import("lighthouse");
const { launch } = await import("chrome-launcher");

/** The page as the examples have it, and the same one without its tag, both from one origin. */
async function serve(edge) {
  const html = await (await fetch(`${edge.site}/plain/`)).text();
  const bare = html.replace(/<script[^>]*\/s\/[^>]*><\/script>/, "");
  if (bare === html) throw new Error("examples/plain/index.html has no tag of the bubble any more: this bench compares the page with and without it");
  const pages = { "/with/": html, "/without/": bare };
  const server = createServer(({ url }, response) => {
    if (!pages[url]) return response.writeHead(url === "/favicon.ico" ? 204 : 404).end();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(pages[url]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://localhost:${server.address().port}`;
  return { urls: { [WITHOUT]: `${url}/without/`, [WITH]: `${url}/with/` }, stop: () => server.close() };
}

/** One audit in a browser of its own, as a first visit. */
async function look(url) {
  const chrome = await launch({ chromePath: process.env.CHROME_PATH, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"], logLevel: "error" });
  try {
    // Over HTTP, browsers ask for gzip alone.
    const extraHeaders = { "Accept-Encoding": "br" };
    const { lhr } = await lighthouse(url, { port: chrome.port, logLevel: "error", onlyCategories: CATEGORIES, extraHeaders });
    if (lhr.runtimeError) throw new Error(`Lighthouse could not look at ${url}: ${lhr.runtimeError.message}`);
    return lhr;
  } finally {
    await chrome.kill();
  }
}

let edge, site;
try {
  progress("starting");
  edge = await startDev();
  site = await serve(edge);
  const found = { [WITHOUT]: [], [WITH]: [] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [name, url] of Object.entries(site.urls)) {
      progress(`round ${round} of ${ROUNDS}: ${name}`);
      found[name].push(await look(url));
    }
  }
  const [{ lighthouseVersion, userAgent }] = found[WITH];
  console.log(`Lighthouse ${lighthouseVersion}, ${/Chrome\/[\d.]+/.exec(userAgent)}, its simulated phone, medians of ${ROUNDS} rounds\n`);
  const row = (...cells) => console.log(cells.map((cell, at) => (at ? cell.padStart(14) : cell.padEnd(34))).join(""));
  row("", WITHOUT, WITH, "ratio", "difference");
  for (const [name, unit, digits, pick] of MEASURES) {
    const [before, after] = [WITHOUT, WITH].map((which) => median(found[which].map(pick)));
    const ratio = before ? `${(after / before).toFixed(2)}x` : "-";
    row(`${name}, ${unit}`, before.toFixed(digits), after.toFixed(digits), ratio, (after - before).toFixed(digits));
  }
  const failed = ({ audits }) => Object.values(audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== "informative").map(({ id }) => id);
  const known = new Set(found[WITHOUT].flatMap(failed));
  const added = new Set(found[WITH].flatMap(failed).filter((id) => !known.has(id)));
  console.log(`\nAudits below 90 with the tag alone: ${[...added].join(", ") || "none"}`);
} finally {
  site?.stop();
  await edge?.stop();
}
