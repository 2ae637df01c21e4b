// Crawls of whole sites and feeds as sources of bots: real workerd, real servers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rm } from "node:fs/promises";
import { database, edge, other, start, web } from "./support/crawling.mjs";
import { openDatabase, startEdge, stateFolder } from "./support/edge.mjs";
import { FAST, ask, found, newOwner, rows, settled } from "./support/knowledge.mjs";
import { pause } from "./support/wait.mjs";
import { page } from "./support/web.mjs";

start();

describe("a site", () => {
  const parts = async (owner, id) => (await (await owner.fetch(`${owner.at}?parent=${id}&limit=100`)).json()).items;
  /** The pages of a site, below a folder of their own. */
  function site(pages) {
    web.pages = {};
    web.requests.length = 0;
    for (const [path, value] of Object.entries(pages)) web.pages[path] = value;
  }
  async function crawled(owner, more = {}) {
    const { id } = await owner.post(owner.at, { kind: "site", url: `${web.url}/`, ...more });
    return settled(owner, id);
  }

  test("is walked by its links and sitemaps, as it asks for", async () => {
    const owner = await newOwner(edge);
    site({
      "/robots.txt": { headers: { "content-type": "text/plain" }, body: `User-agent: *\nDisallow: /secret\nCrawl-delay: 0.2\nSitemap: ${web.url}/map.xml\n` },
      "/map.xml": { headers: { "content-type": "application/xml" }, body: `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>${web.url}/lonely</loc></url><url><loc>${other.url}/</loc></url><url><loc>${web.url}/secret/map</loc></url></urlset>` },
      "/": page("Home", "Welcome to the plumbago museum.", ["/tickets", "/tickets?utm_source=x", "/secret/a", "/draft", "/deadend", "/old", "/copy", "/logo.png", other.url, "/twin", "mailto:a@b.c"]),
      "/tickets": page("Tickets", "A ticket for the plumbago museum costs 11 florins.", ["/deep"]),
      "/deep": page("Deep", "The cellar of the museum holds zirconwood.", ["/"]),
      "/lonely": page("Lonely", "Nobody links to the observatory of brineglass."),
      "/draft": page("Draft", "This draft is unfinished rubberlace.", ["/behind"], '<meta name="robots" content="noindex">'),
      "/behind": page("Behind", "Behind the draft stands a kilnbird."),
      "/deadend": page("Dead end", "Here a visitor ends.", ["/hidden-by-nofollow"], '<meta name="robots" content="nofollow">'),
      "/hidden-by-nofollow": page("No", "Never reached."),
      "/old": { status: 301, headers: { location: "/tickets" } },
      "/copy": page("Copy", "A copy that names its original.", [], `<link rel="canonical" href="${web.url}/tickets">`),
      "/twin": page("Tickets", "A ticket for the plumbago museum costs 11 florins.", ["/deep"]),
      "/secret/a": page("Secret", "secret"),
      "/secret/map": page("Secret", "secret"),
    });
    const source = await crawled(owner);
    assert.deepEqual([source.status, source.title], ["ready", "Home"], JSON.stringify(source));
    const list = await parts(owner, source.id);
    assert.deepEqual(list.map(({ url }) => url.slice(web.url.length)).sort(), ["/", "/behind", "/deadend", "/deep", "/lonely", "/tickets"]);
    assert.deepEqual(source.progress, { done: 6, total: 6 });
    assert.ok(list.every(({ kind, status, parent }) => kind === "url" && status === "ready" && parent === source.id));
    for (const never of ["/secret/a", "/secret/map", "/hidden-by-nofollow", "/logo.png", "/tickets?utm_source=x"]) assert.equal(web.asked(never), 0, never);
    assert.equal(other.requests.length, 0);
    assert.equal(web.asked("/tickets"), 1);
    const times = web.requests.map(({ at }) => at);
    for (let n = 1; n < times.length; n += 1) assert.ok(times[n] - times[n - 1] >= 150, "one at a time, and slowly");
    const answer = await ask(owner, "What does a ticket for the plumbago museum cost?");
    assert.match(answer.said, /11 florins/);
    assert.match(JSON.stringify(answer.sources), /\/tickets/);
    const top = await (await owner.fetch(owner.at)).json();
    assert.deepEqual(top.items.map(({ id }) => id), [source.id]);
    assert.equal((await owner.fetch(`${owner.at}/${list[0].id}`, { method: "PATCH", body: { title: "x" }, headers: { "if-match": "*" } })).status, 422);

    assert.equal(found(owner, "kilnbird", database), 1);
    // The next crawl: one page has changed, one is gone, one fails, the others are unchanged.
    const before = Object.fromEntries(list.map((part) => [part.url.slice(web.url.length), part]));
    delete web.pages["/robots.txt"];
    web.pages["/tickets"] = page("Tickets", "A ticket for the plumbago museum costs 13 florins.", ["/deep"]);
    web.pages["/twin"] = web.pages["/tickets"];
    delete web.pages["/behind"];
    web.pages["/deep"] = { status: 500, body: "" };
    await owner.post(`${owner.at}/${source.id}/refresh`);
    const again = await settled(owner, source.id);
    assert.equal(again.status, "ready", JSON.stringify(again));
    const after = Object.fromEntries((await parts(owner, source.id)).map((part) => [part.url.slice(web.url.length), part]));
    assert.deepEqual(Object.keys(after).sort(), ["/", "/deadend", "/deep", "/secret/a", "/tickets"].concat(web.asked("/lonely") > 1 ? ["/lonely"] : []).sort());
    assert.equal(after["/"].indexed_at, before["/"].indexed_at);
    assert.ok(after["/tickets"].indexed_at > before["/tickets"].indexed_at);
    assert.deepEqual([after["/deep"].status, after["/deep"].failure.code], ["failed", "server_error"]);
    assert.match((await ask(owner, "Which wood does the cellar of the museum hold?")).said, /zirconwood/);
    assert.match((await ask(owner, "What does a ticket for the plumbago museum cost?")).said, /13 florins/);
    assert.equal(found(owner, "kilnbird", database), 0);

    await owner.remove(`${owner.at}/${source.id}`);
    for (const table of ["source", "source_text", "chunk"]) assert.equal(rows(owner, table, database), 0, table);
    assert.equal(found(owner, "", database), 0);
  });

  test("keeps to its limits, and one that cannot be read keeps what it said", async () => {
    const owner = await newOwner(edge);
    const pages = {};
    for (let n = 0; n < 40; n += 1) pages[`/p${n}`] = page(`Page ${n}`, `This is the gallery number ${n} of the labyrinth.`, [`/p${n + 1}`]);
    site({ "/": page("Start", "The labyrinth begins here.", ["/p0"]), ...pages });
    const source = await crawled(owner, { max_pages: 5 });
    assert.deepEqual([source.status, source.progress.done], ["ready", 5], JSON.stringify(source));
    const shallow = await crawled(owner, { max_depth: 2 });
    assert.deepEqual(shallow.progress, { done: 3, total: 3 });
    site({ "/": { status: 403, body: "" } });
    await owner.post(`${owner.at}/${source.id}/refresh`);
    const closed = await settled(owner, source.id);
    assert.deepEqual([closed.status, closed.failure.code], ["failed", "forbidden"], JSON.stringify(closed));
    assert.equal((await parts(owner, source.id)).length, 5);
    site({ "/robots.txt": { headers: { "content-type": "text/plain" }, body: "User-agent: *\nDisallow: /\n" }, "/": page("Start", "No.") });
    const forbidden = await crawled(await newOwner(edge));
    assert.deepEqual([forbidden.status, forbidden.failure.code], ["failed", "robots_forbid"]);
    assert.equal(web.asked("/"), 0);
  });

  test("keeps what it cannot find now, follows every link, and takes on the language that it is given", async () => {
    const owner = await newOwner(edge);
    const many = Array.from({ length: 320 }, (_, n) => `/none/${n}`);
    site({
      "/sitemap.xml": { headers: { "content-type": "application/xml" }, body: `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>${web.url}/orphan</loc></url></urlset>` },
      "/": page("Home", "The saltmarsh begins here.", ["/hub", ...many.map((path) => `https://elsewhere.example${path}`), "/last"]),
      "/hub": page("Hub", "The hub of the saltmarsh.", ["/spoke"]),
      "/spoke": page("Spoke", "The spoke holds a tidewheel."),
      "/orphan": page("Orphan", "The orphan holds a moonrake."),
      "/last": page("Last", "The last link leads to a fogbell."),
    });
    const source = await crawled(owner);
    const all = ["/", "/hub", "/last", "/orphan", "/spoke"];
    const known = async () => (await parts(owner, source.id)).map(({ url }) => url.slice(web.url.length)).sort();
    assert.deepEqual(await known(), all);
    const [sitemap, hub] = [web.pages["/sitemap.xml"], web.pages["/hub"]];
    web.pages["/sitemap.xml"] = web.pages["/hub"] = { status: 503 };
    const refreshed = await owner.fetch(`${owner.at}/${source.id}/refresh`, { method: "POST" });
    assert.equal(refreshed.status, 200);
    await settled(owner, source.id);
    assert.deepEqual(await known(), all, "what failed, and what only it leads to, stays");
    Object.assign(web.pages, { "/sitemap.xml": sitemap, "/hub": hub });
    await owner.patch(`${owner.at}/${source.id}`, { language: "fr" });
    await settled(owner, source.id);
    const languages = database.prepare("SELECT DISTINCT language FROM source WHERE parent = ?").all(source.id);
    assert.deepEqual(languages.map(({ language }) => language), ["fr"]);
  });

  test("of one sitemap is what that lists", async () => {
    const owner = await newOwner(edge);
    site({
      "/only.xml": { headers: { "content-type": "application/xml" }, body: `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>${web.url}/a</loc></url><url><loc>${web.url}/b</loc></url></urlset>` },
      "/": page("Home", "Home."), "/a": page("A", "The aardwolf digs.", ["/c"]), "/b": page("B", "The bilberry ripens."), "/c": page("C", "Not listed."),
    });
    const { id } = await owner.post(owner.at, { kind: "site", url: `${web.url}/only.xml` });
    const source = await settled(owner, id);
    assert.equal(source.status, "ready", JSON.stringify(source));
    assert.deepEqual((await parts(owner, id)).map(({ title }) => title).sort(), ["A", "B"]);
    assert.equal(web.asked("/c"), 0);
  });

  test("is walked on where it was when the machine died", async () => {
    const state = await stateFolder();
    let mine = await startEdge({ state, vars: { FETCH_LOCAL: web.host, ...FAST, CRAWLER_PAUSE_MS: "60" } });
    try {
      const owner = await newOwner(mine);
      const pages = {};
      for (let n = 0; n < 60; n += 1) pages[`/n${n}`] = page(`Page ${n}`, `Room ${n} of the fortress holds treasure number ${n * 7}.`, [`/n${n + 1}`, `/n${n + 2}`]);
      site({ "/": page("Fortress", "The fortress has many rooms.", ["/n0", "/n1"]), ...pages, "/n60": page("End", "The end of the fortress."), "/n61": page("Behind", "Behind the fortress.") });
      const { id } = await owner.post(owner.at, { kind: "site", url: `${web.url}/`, max_depth: 50 });
      for (const seen of [8, 25]) {
        while (web.requests.length < seen) await pause(20);
        await mine.kill();
        mine = owner.edge = await startEdge({ state, port: mine.port, vars: { FETCH_LOCAL: web.host, ...FAST, CRAWLER_PAUSE_MS: "60" } });
      }
      const source = await settled(owner, id);
      assert.deepEqual([source.status, source.progress], ["ready", { done: 63, total: 63 }], JSON.stringify(source));
      // Each page is fetched once, except those whose request was in progress.
      for (let n = 0; n < 60; n += 1) assert.ok(web.asked(`/n${n}`) <= 2, `/n${n}: ${web.asked(`/n${n}`)}`);
      assert.ok(web.requests.length < 75, `${web.requests.length}`);
      const db = openDatabase(mine);
      assert.equal(rows(owner, "source", db, "parent IS NOT NULL AND status = 'ready'"), 63);
      assert.equal(rows(owner, "chunk", db, "generation >= 0"), 63);
      db.close();
    } finally {
      await mine.stop();
      await rm(state, { recursive: true, force: true });
    }
  });
});

test("a feed's entries answer, each with its own page, and stay when the feed moves on", async () => {
  const owner = await newOwner(edge);
  const entry = (n, what) => `<item><title>News ${n}</title><link>${web.url}/news/${n}</link><guid>news-${n}</guid><description>&lt;p&gt;${what}&lt;/p&gt;</description></item>`;
  const feed = (...entries) => ({ headers: { "content-type": "application/rss+xml" }, body: `<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>${web.url}/</link><description>d</description>${entries.join("")}</channel></rss>` });
  web.pages["/feed.xml"] = feed(entry(1, "The tramway to Pellworm opens in May."), entry(2, "The ferry to Foulness is late."));
  const { id } = await owner.post(owner.at, { kind: "feed", url: `${web.url}/feed.xml` });
  const source = await settled(owner, id);
  assert.deepEqual([source.status, source.progress], ["ready", { done: 2, total: 2 }], JSON.stringify(source));
  const answer = await ask(owner, "When does the tramway to Pellworm open?");
  assert.match(answer.said, /May/);
  assert.match(JSON.stringify(answer.sources), /\/news\/1/);
  const first = (await (await owner.fetch(`${owner.at}?parent=${id}`)).json()).items;
  web.pages["/feed.xml"] = feed(entry(2, "The ferry to Foulness is on time again."), entry(3, "A bakery opens in Portree."));
  await owner.post(`${owner.at}/${id}/refresh`);
  await settled(owner, id);
  const second = (await (await owner.fetch(`${owner.at}?parent=${id}`)).json()).items;
  assert.deepEqual(second.map(({ title }) => title).sort(), ["News 1", "News 2", "News 3"]);
  assert.equal(second.find(({ title }) => title === "News 1").indexed_at, first.find(({ title }) => title === "News 1").indexed_at);
  assert.match((await ask(owner, "Is the ferry to Foulness late?")).said, /on time/);
});

test("a feed's entries that share a name, or have none, are entries of their own", async () => {
  const owner = await newOwner(edge);
  const item = (n) => `<item><title>Note ${n}</title><link>${web.url}/status</link><description>Note ${n} tells of sandglass${n}.</description></item>`;
  web.pages["/notes.xml"] = { headers: { "content-type": "application/rss+xml" }, body: `<?xml version="1.0"?><rss version="2.0"><channel><title>Notes</title>${Array.from({ length: 25 }, (_, n) => item(n)).join("")}</channel></rss>` };
  const { id } = await owner.post(owner.at, { kind: "feed", url: `${web.url}/notes.xml` });
  assert.equal((await settled(owner, id)).status, "ready");
  assert.equal(rows(owner, "source", database, `parent = '${id}'`), 25);
});
