// What sites do to their own sources: broken sitemaps and feeds, maintenance, pages that point at one another, what pages ask of
// crawlers. A page is deleted on its own evidence alone. Real workerd, real servers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { database, edge, other, start, web } from "./support/crawling.mjs";
import { ask, newOwner, settled } from "./support/knowledge.mjs";
import { page } from "./support/web.mjs";

start({ both: true });

const XML = { "content-type": "application/xml" };
const urlset = (...locs) =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${locs.map((loc) => `<url><loc>${loc}</loc></url>`).join("")}</urlset>`;
const map = (body) => ({ headers: XML, body });
const MAINTENANCE = page("Maintenance", "We are back soon.");

function site(pages) {
  web.requests.length = 0;
  web.pages = { ...pages };
}
async function added(owner, kind, path, more = {}) {
  const { id } = await owner.post(owner.at, { kind, url: web.url + path, ...more });
  return settled(owner, id);
}
async function refreshed(owner, { id }) {
  await owner.post(`${owner.at}/${id}/refresh`);
  return settled(owner, id);
}
const parts = async (owner, { id }) => (await (await owner.fetch(`${owner.at}?parent=${id}&limit=100`)).json()).items;
/** Paths of the pages that a source has. */
const paths = async (owner, source) => (await parts(owner, source)).map(({ url }) => url.slice(url.indexOf("/", 8))).sort();

describe("a sitemap", () => {
  const NAMES = ["/a", "/b", "/c", "/d", "/e", "/f"];
  const pages = () => Object.fromEntries(NAMES.map((path) => [path, page(`Page ${path}`, `The lighthouse of ${path.slice(1)}${path.slice(1)}ville has ${path.charCodeAt(1)} steps.`)]));
  const urls = () => NAMES.map((path) => web.url + path);

  test("that is not quite XML is read as it is meant", async () => {
    const owner = await newOwner(edge);
    site({
      "/map.xml": map(urlset(`${web.url}/shop?a=1&b=2`, `${web.url}/caf&eacute;`, `${web.url}/plain`)),
      "/shop?a=1&b=2": page("Shop", "The shop sells windlasses."), "/caf%C3%A9": page("Café", "The café serves samphire."), "/plain": page("Plain", "The plain page."),
    });
    const source = await added(owner, "site", "/map.xml");
    assert.deepEqual([source.status, source.failure], ["ready", undefined], JSON.stringify(source));
    assert.deepEqual(await paths(owner, source), ["/caf%C3%A9", "/plain", "/shop?a=1&b=2"]);
  });

  for (const [what, change] of [
    ["a page in its place", () => MAINTENANCE],
    ["an end that is cut off", () => map(urlset(...urls()).slice(0, 230))],
    ["an empty body", () => map("")],
    ["an entry that names no address", () => map(urlset(...urls(), "TODO"))],
    ["no entries", () => map(urlset())],
    ["far fewer entries", () => map(urlset(`${web.url}/a`, `${web.url}/b`))],
    ["an error of the server", () => ({ status: 503 })],
    ["nothing", () => ({ status: 404 })],
  ]) {
    for (const [kind, first] of [["named by the owner", "/map.xml"], ["of a site", "/"]]) {
      test(`${kind}, with ${what}, costs no page`, async () => {
        const owner = await newOwner(edge);
        const robots = { headers: { "content-type": "text/plain" }, body: "User-agent: *\nSitemap: /map.xml\n" };
        site({ ...pages(), "/": page("Home", "Home of the lighthouses."), "/robots.txt": robots, "/map.xml": map(urlset(...urls())) });
        const source = await added(owner, "site", first);
        const all = await paths(owner, source);
        assert.deepEqual(all, first === "/" ? ["/", ...NAMES] : NAMES, JSON.stringify(source));
        assert.equal(source.failure, undefined);
        web.pages["/map.xml"] = change();
        for (let times = 0; times < 2; times += 1) {
          const { id } = source;
          await owner.post(`${owner.at}/${id}/refresh`);
          const again = await settled(owner, id);
          assert.deepEqual(await paths(owner, source), all);
          if (times === 0) {
            assert.match(again.failure?.detail ?? "", /\/map\.xml .*refresh this source/, JSON.stringify(again));
            assert.ok(again.failure.code, JSON.stringify(again));
          }
        }
        // It is whole again, and a page is gone: the page says so itself.
        web.pages["/map.xml"] = map(urlset(...urls().slice(1)));
        delete web.pages["/a"];
        const whole = await refreshed(owner, source);
        assert.deepEqual([whole.status, whole.failure], ["ready", undefined]);
        assert.deepEqual(await paths(owner, source), all.filter((path) => path !== "/a"));
      });
    }
  }

  test("that no longer lists a page, or a page that nothing links to, says nothing of that page", async () => {
    const owner = await newOwner(edge);
    site({ ...pages(), "/map.xml": map(urlset(...urls())) });
    const source = await added(owner, "site", "/map.xml");
    web.pages["/map.xml"] = map(urlset(...urls().slice(2)));
    web.pages["/a"] = page("Page /a", "The lighthouse of aaville has 12 steps now.");
    web.pages["/b"] = page("Page /b", "Not for bots.", [], '<meta name="robots" content="noindex">');
    const again = await refreshed(owner, source);
    assert.deepEqual([again.status, again.failure], ["ready", undefined]);
    assert.deepEqual(await paths(owner, source), NAMES.filter((path) => path !== "/b"));
    assert.match((await ask(owner, "How many steps has the lighthouse of aaville?")).said, /12 steps/);
    // Another sitemap replaces the pages. (The API accepts https:// alone.)
    web.pages["/other.xml"] = map(urlset(`${web.url}/c`));
    database.prepare("UPDATE source SET given = json_set(given, '$.url', ?) WHERE id = ?").run(`${web.url}/other.xml`, source.id);
    assert.equal((await refreshed(owner, source)).status, "ready");
    assert.deepEqual(await paths(owner, source), ["/c"]);
  });

  test("that nobody has named and that never was one is not missed", async () => {
    const owner = await newOwner(edge);
    site({ "/": page("Home", "The ropewalk begins here.", ["/a"]), "/a": page("A", "Ropes of hemp."), "/sitemap.xml": page("App", "An application that answers every address.") });
    const source = await added(owner, "site", "/");
    assert.deepEqual([source.status, source.failure], ["ready", undefined]);
    delete web.pages["/a"];
    await refreshed(owner, source);
    assert.deepEqual(await paths(owner, source), ["/"]);
  });
});

describe("a page that was read", () => {
  for (const [what, now, stays] of [
    ["answers 404", { status: 404 }, false],
    ["answers 410", { status: 410 }, false],
    ["asks not to be indexed", page("A", "x", [], '<meta name="robots" content="none">'), false],
    ["asks not to be indexed by its header", { headers: { "x-robots-tag": "noindex" }, body: page("A", "x") }, false],
    ["has moved for good", { status: 301, headers: { location: "/b" } }, false],
    ["is left to another one", page("A", "x", [], '<link rel="canonical" href="/b">'), false],
    ["leads elsewhere for now", { status: 302, headers: { location: "/b" } }, true],
    ["leads to a login elsewhere", () => ({ status: 302, headers: { location: `${other.url}/login` } }), true],
    ["is closed", { status: 403 }, true],
    ["fails", { status: 500 }, true],
    ["is empty", { body: "" }, true],
    ["shows nothing", "<!doctype html><html><body><div id=root></div></body></html>", true],
    ["says what another one says", page("B", "The bulwark stands."), true],
    ["redirects in a circle", { status: 301, headers: { location: "/a2" } }, true],
    ["is a picture", { headers: { "content-type": "image/png" }, body: Buffer.from("89504e470d0a1a0a0000000d49484452", "hex") }, true],
    ["is forbidden by robots.txt", undefined, true],
  ]) {
    test(`and ${what} ${stays ? "keeps its last version and says why" : "goes"}`, async () => {
      const owner = await newOwner(edge);
      site({ "/": page("Home", "Home.", ["/a", "/b"]), "/a": page("A", "The anchorage holds nine boats."), "/b": page("B", "The bulwark stands."), "/a2": { status: 301, headers: { location: "/a" } } });
      const source = await added(owner, "site", "/");
      assert.deepEqual(await paths(owner, source), ["/", "/a", "/b"]);
      if (now === undefined) web.pages["/robots.txt"] = { headers: { "content-type": "text/plain" }, body: "User-agent: *\nDisallow: /a\n" };
      else web.pages["/a"] = typeof now === "function" ? now() : now;
      const again = await refreshed(owner, source);
      assert.equal(again.status, "ready", JSON.stringify(again));
      assert.deepEqual(await paths(owner, source), stays ? ["/", "/a", "/b"] : ["/", "/b"]);
      const { said } = await ask(owner, "How many boats does the anchorage hold?");
      assert.equal(/nine boats/.test(said), stays, said);
      if (!stays) return;
      const part = (await parts(owner, source)).find(({ url }) => url.endsWith("/a"));
      assert.equal(part.status, "failed", JSON.stringify(part));
      assert.match(part.failure.detail, /\.$/);
    });
  }

  test("stays while its whole site shows a notice of maintenance, here or elsewhere", async () => {
    const owner = await newOwner(edge);
    const good = { "/": page("Home", "Home of the boatswain.", ["/a", "/b"]), "/a": page("A", "The anchorage holds nine boats."), "/b": page("B", "The bulwark stands.") };
    site(good);
    const source = await added(owner, "site", "/");
    const all = ["/", "/a", "/b"];
    const everywhere = (answer) => site(Object.fromEntries([...all, "/sitemap.xml"].map((path) => [path, answer])));
    other.pages = { "/": MAINTENANCE };
    for (const answer of [MAINTENANCE, { status: 503, body: "soon" }, { status: 302, headers: { location: `${other.url}/` } }, { status: 302, headers: { location: "/soon" } }]) {
      everywhere(answer);
      web.pages["/soon"] = MAINTENANCE;
      await refreshed(owner, source);
      const now = await paths(owner, source);
      assert.ok(all.every((path) => now.includes(path)), JSON.stringify(now));
      assert.match((await ask(owner, "How many boats does the anchorage hold?")).said, /nine boats/);
    }
    site(good);
    assert.equal((await refreshed(owner, source)).status, "ready");
    assert.ok((await paths(owner, source)).includes("/a"));
  });
});

describe("pages that point at one another", () => {
  test("lose none that answers", async () => {
    const owner = await newOwner(edge);
    const to = (path) => `<link rel="canonical" href="${path}">`;
    const moved = (location) => ({ status: 301, headers: { location } });
    site({
      "/": page("Home", "Home of the pointers.", ["/one", "/left", "/gone-canonical", "/variant", "/old", "/loop-a", "/busy"]),
      "/one": page("One", "The onager kicks.", [], to("/one/")), "/one/": moved("/one"),
      "/left": page("Left", "The leftmost larch.", [], to("/right")), "/right": page("Right", "The rightmost rowan.", [], to("/left")),
      "/gone-canonical": page("Gone", "The gannet dives.", [], to("/nothing")),
      "/busy": page("Busy", "The bittern booms.", [], to("/fails")), "/fails": { status: 500 },
      "/variant": page("Variant", "The vole of the variant.", [], to("/original")), "/original": page("Original", "The vole of the original."),
      "/old": moved("/new"), "/new": page("New", "The newt swims."),
      "/loop-a": moved("/loop-b"), "/loop-b": moved("/loop-a"),
    });
    const source = await added(owner, "site", "/");
    assert.equal(source.status, "ready", JSON.stringify(source));
    const read = (await parts(owner, source)).filter(({ status }) => status === "ready").map(({ url }) => url.slice(web.url.length)).sort();
    assert.deepEqual(read, ["/", "/busy", "/gone-canonical", "/left", "/new", "/one", "/original"]);
    await refreshed(owner, source);
    const again = (await parts(owner, source)).filter(({ status }) => status === "ready").map(({ url }) => url.slice(web.url.length)).sort();
    assert.deepEqual(again, read);
  });

  for (const [what, pages, path] of [
    ["its canonical, which redirects back", { "/": page("Home", "The homing pigeon coos.", [], '<link rel="canonical" href="/home">'), "/home": { status: 301, headers: { location: "/" } } }, "/"],
    ["a page whose canonical it is", { "/": { status: 302, headers: { location: "/home" } }, "/home": page("Home", "The homing pigeon coos.", [], '<link rel="canonical" href="/">') }, "/home"],
    ["a canonical that answers 404", { "/": page("Home", "The homing pigeon coos.", [], '<link rel="canonical" href="/nothing">') }, "/"],
    ["itself with a parameter that does not count", { "/": { status: 302, headers: { location: "/?utm_source=x" } }, "/?utm_source=x": page("Home", "The homing pigeon coos.") }, "/"],
  ]) {
    test(`do not lose a site whose first page names ${what}`, async () => {
      const owner = await newOwner(edge);
      site(pages);
      const source = await added(owner, "site", "/");
      assert.deepEqual([source.status, source.failure], ["ready", undefined], JSON.stringify(source));
      assert.deepEqual(await paths(owner, source), [path]);
      assert.match((await ask(owner, "What does the homing pigeon do?")).said, /coos/);
    });
  }
});

describe("a page that leads on by itself", () => {
  const leads = (content, text = "You are being redirected.") => page("Redirect", text, [], `<meta http-equiv="refresh" content="${content}">`);

  test("is the page that it leads to, as an address and in a site", async () => {
    const owner = await newOwner(edge);
    site({
      "/start": leads("0; url=/hop"), "/hop": leads("3;URL='/target'"), "/target": page("Target", "The tarpaulin is green."),
      "/": page("Home", "Home.", ["/start", "/slow", "/away", "/reload", "/show-1"]),
      "/slow": leads("300; url=/logout", "The sloop is slow."), "/away": leads(`0; url=${other.url}/secret`), "/reload": leads("5", "The reload page reloads."),
      "/show-1": leads("5; url=/show-2", "First slide with a spinnaker."), "/show-2": leads("5; url=/show-1", "Second slide with a staysail."),
    });
    const one = await added(owner, "url", "/start");
    assert.deepEqual([one.status, one.title, one.url], ["ready", "Target", `${web.url}/target`], JSON.stringify(one));
    const source = await added(owner, "site", "/");
    const found = await paths(owner, source);
    for (const path of ["/", "/target", "/slow", "/reload"]) assert.ok(found.includes(path), JSON.stringify(found));
    for (const path of ["/start", "/hop", "/away", "/logout"]) assert.ok(!found.includes(path), JSON.stringify(found));
    const { said } = await ask(owner, "What colour is the tarpaulin?");
    assert.match(said, /green/);
    assert.doesNotMatch(said, /redirected/);
  });

  test("may lead where no address may lead as little as a redirect", async () => {
    const owner = await newOwner(edge);
    site({ "/inside": leads("0; url=http://169.254.169.254/latest/"), "/nothing": leads("0; url=/404") });
    assert.equal((await added(owner, "url", "/inside")).failure.code, "address_refused");
    const gone = await added(owner, "url", "/nothing");
    assert.equal(gone.failure.code, "not_found");
    assert.match(gone.failure.detail, /leads on to .*\/404/);
  });
});

test("X-Robots-Tag is obeyed, of pages and files, for all and for this crawler", async () => {
  const owner = await newOwner(edge);
  const tagged = (tag, path, links = []) => ({ headers: { "x-robots-tag": tag }, body: page(path, `The text of ${path}.`, links) });
  const cases = {
    "/noindex": "noindex", "/none": "none", "/nofollow": "nofollow", "/ours": "BulleBot: noindex", "/theirs": "googlebot: noindex",
    "/repeated": ["noarchive", "nofollow", "noindex"], "/mixed": ["otherbot: noindex, nofollow", "bullebot: nofollow"],
  };
  const file = (tag) => ({ headers: { "content-type": "text/plain", "x-robots-tag": tag }, body: "The file speaks of mooring buoys." });
  site({
    "/": page("Home", "Home.", [...Object.keys(cases), "/open.txt", "/closed.txt"]),
    ...Object.fromEntries(Object.entries(cases).map(([path, tag]) => [path, tagged(tag, path, [`${path}/below`])])),
    ...Object.fromEntries(Object.keys(cases).map((path) => [`${path}/below`, page(`Below ${path}`, `What stands below ${path}.`)])),
    "/open.txt": file("all"), "/closed.txt": file("noindex"),
  });
  const source = await added(owner, "site", "/");
  assert.deepEqual(await paths(owner, source), ["/", "/mixed", "/nofollow", "/noindex/below", "/open.txt", "/ours/below", "/theirs", "/theirs/below"]);
  // It comes to be said later, of a page that has not changed.
  web.pages["/theirs"] = (request, response) => response.writeHead(request.headers["if-none-match"] ? 304 : 200, { etag: '"1"', "content-type": "text/html", ...later }).end(request.headers["if-none-match"] ? "" : page("Theirs", "As before."));
  let later = {};
  await refreshed(owner, source);
  assert.ok((await paths(owner, source)).includes("/theirs"));
  later = { "x-robots-tag": "noindex" };
  await refreshed(owner, source);
  assert.ok(!(await paths(owner, source)).includes("/theirs"));
});

describe("a feed", () => {
  const rss = (body) => ({ headers: { "content-type": "application/rss+xml" }, body });

  test("that is not quite XML is read, and its source has its title", async () => {
    const owner = await newOwner(edge);
    site({ "/feed.xml": rss(`<rss version="2.0"><channel><title>Caf&eacute; Lumi&egrave;re &amp; friends</title><item><title>Caf&eacute; &mdash; new</title><link>${web.url}/n?a=1&b=2</link><description>Fish & chips cost 14&euro; on the pier.</description></item></channel></rss>`) });
    const source = await added(owner, "feed", "/feed.xml");
    assert.deepEqual([source.status, source.title, source.failure], ["ready", "Café Lumière & friends", undefined], JSON.stringify(source));
    const [entry] = await parts(owner, source);
    assert.deepEqual([entry.title, entry.url], ["Café — new", `${web.url}/n?a=1&b=2`]);
    assert.match((await ask(owner, "What do fish and chips cost on the pier?")).said, /14€/);
    await owner.patch(`${owner.at}/${source.id}`, { title: "Ours" });
    assert.equal((await settled(owner, source.id)).title, "Ours");
  });

  test("that is cut off, or a page in its place, keeps its entries and says so", async () => {
    const owner = await newOwner(edge);
    const item = (n) => `<item><title>Note ${n}</title><guid>${n}</guid><description>Note ${n} tells of a bollard.</description></item>`;
    const whole = `<rss version="2.0"><channel><title>Notes</title>${item(1)}${item(2)}${item(3)}</channel></rss>`;
    site({ "/feed.xml": rss(whole) });
    const source = await added(owner, "feed", "/feed.xml");
    web.pages["/feed.xml"] = rss(whole.slice(0, whole.indexOf("Note 3 tells")));
    const cut = await refreshed(owner, source);
    assert.deepEqual([cut.status, cut.failure?.code], ["ready", "corrupt"], JSON.stringify(cut));
    assert.equal((await parts(owner, source)).length, 3);
    web.pages["/feed.xml"] = MAINTENANCE;
    const page = await refreshed(owner, source);
    assert.deepEqual([page.status, page.failure?.code], ["failed", "mislabelled"], JSON.stringify(page));
    assert.equal((await parts(owner, source)).length, 3);
    web.pages["/feed.xml"] = rss(whole);
    const again = await refreshed(owner, source);
    assert.deepEqual([again.status, again.title, again.failure], ["ready", "Notes", undefined]);
  });
});
