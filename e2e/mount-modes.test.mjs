// The three ways to mount the bubble: the tag, also on pages that change and when loading fails; the element; and the hosted
// page.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { picture, violations } from "./support/browser.mjs";
import { ANSWER, QUESTION, call, host, html, open, tag, talk, talkIn } from "./support/host-page.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { edge, pages, site, start } from "./support/start.mjs";

start();

describe("pages that change around the bubble", () => {
  test("a page that comes back from the browser's memory looks again", async () => {
    const { page, bubble, seen } = await host(tag());
    await talk({ bubble });
    const before = seen.requests.length;
    // The event that the browser dispatches when it restores a page from the back/forward cache.
    const looked = page.waitForResponse((response) => response.url().includes("/messages"));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await looked;
    assert.ok(seen.requests.slice(before).some((line) => line.startsWith("GET /v1/conversations/")), seen.requests.slice(before).join());
    await bubble.log.getByText(ANSWER).first().waitFor();
  });

  for (const [name, visit] of [
    ["history.pushState and new content", () => { history.pushState({}, "", "/next"); document.querySelector("h1").replaceWith(document.createElement("h1")); }],
    // Turbo Drive: the new page's body replaces the old one, and its scripts run again.
    ["Turbo Drive", (src) => {
      const body = document.createElement("body");
      body.append(Object.assign(document.createElement("script"), { src }));
      document.documentElement.replaceChild(body, document.body);
    }],
    // Astro's ClientRouter: swaps the body and keeps scripts that have run.
    ["Astro's view transitions", () => {
      const next = new DOMParser().parseFromString("<body><h1>Next</h1></body>", "text/html");
      document.body.replaceWith(next.body);
    }],
  ]) {
    test(`${name}: one bubble, open, with its conversation`, async () => {
      const { page, bubble, seen } = await host(tag());
      await talk({ bubble });
      await page.evaluate(visit, `${edge.url}/s/plain-demo.js`);
      await bubble.log.getByText(ANSWER).first().waitFor();
      assert.equal(await page.locator("[data-bulle]").count(), 1);
      await bubble.ask("How much is a baguette?");
      await bubble.log.getByText("€1.30").first().waitFor();
      assert.deepEqual(seen.errors, []);
    });
  }
});

describe("the element", () => {
  const script = () => `<script type="module" src="${edge.url}/element.js"></script>`;
  const region = (page, name = "Boulangerie Nord") => page.getByRole("region", { name });

  test("fills its place and speaks, without a launcher", async () => {
    const { page, seen } = await host(`<style>bulle-chat{width:500px;height:420px}</style><bulle-chat site="plain-demo"></bulle-chat>${script()}`);
    await talkIn(region(page));
    const box = await region(page).boundingBox();
    assert.deepEqual([box.width, box.height], [500, 420]);
    assert.equal(await page.getByRole("button", { name: "Open the chat" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: "Close the chat" }).count(), 0);
    assert.deepEqual(await violations(page), []);
    await picture(page, "element");
    assert.deepEqual(seen.errors, []);
  });

  test("nothing is fetched for what nobody sees", async () => {
    const { page, seen } = await host(`<div style="height:5000px"></div><bulle-chat site="plain-demo"></bulle-chat>${script()}`);
    await page.waitForLoadState("networkidle");
    assert.deepEqual(seen.requests.filter((line) => /\/(s|a|v1)\//.test(line)), []);
    await page.locator("bulle-chat").scrollIntoViewIfNeeded();
    await region(page).getByRole("textbox").waitFor();
  });

  test("several, added, moved and taken away", async () => {
    const { page, seen } = await host(`<section></section><aside></aside>${script()}`);
    await page.waitForFunction(() => customElements.get("bulle-chat"));
    await page.evaluate(() => {
      for (const site of ["plain-demo", "twin-demo"]) {
        const chat = document.createElement("bulle-chat");
        chat.setAttribute("site", site);
        chat.style.height = "300px";
        document.querySelector("section").append(chat);
      }
    });
    await talkIn(region(page));
    await region(page, "Maëlle Kervadec").getByRole("textbox").waitFor();
    await page.evaluate(() => document.querySelector("aside").append(document.querySelector("bulle-chat")));
    await region(page).getByRole("log").getByText(ANSWER).first().waitFor();
    await page.evaluate(() => document.querySelector("bulle-chat[site=plain-demo]").remove());
    assert.equal(await region(page).count(), 0);
    await page.waitForFunction(() => !Bulle["plain-demo"] && Bulle["twin-demo"]);
    await page.evaluate(() => {
      const chat = document.createElement("bulle-chat");
      chat.setAttribute("site", "plain-demo");
      document.querySelector("aside").append(chat);
    });
    await region(page).getByRole("log").getByText(ANSWER).first().waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("stays in its place when it speaks another language, also beside a bubble of the same site", async () => {
    const { page, seen } = await host(`<style>bulle-chat{width:500px;height:420px}</style><bulle-chat site="plain-demo"></bulle-chat>${script()}${tag()}`);
    await page.locator("[data-bulle]").waitFor({ state: "attached" });
    await talkIn(region(page));
    await page.evaluate(() => document.querySelector("bulle-chat").bubble.setLocale("fr"));
    await region(page).getByRole("textbox", { name: "Posez votre question" }).waitFor();
    await region(page).getByRole("log").getByText(ANSWER).first().waitFor();
    const box = await region(page).boundingBox();
    assert.deepEqual([box.width, box.height], [500, 420]);
    assert.equal(await region(page).getByRole("button", { name: "Fermer la discussion" }).count(), 0);
    // The panel stays open, and the page's reference is still valid; so is that of the other bubble.
    await page.evaluate(() => document.querySelector("bulle-chat").bubble.close());
    await region(page).getByRole("textbox").waitFor();
    await page.evaluate(() => Bulle["plain-demo"].open());
    await page.getByRole("dialog", { name: "Boulangerie Nord" }).getByRole("textbox").waitFor();
    await page.evaluate(() => document.querySelector("bulle-chat").remove());
    await region(page).waitFor({ state: "detached" });
    await page.getByRole("dialog", { name: "Boulangerie Nord" }).getByRole("textbox").waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("stands beside a bubble of the same site", async () => {
    const { page, bubble } = await host(`<bulle-chat site="plain-demo"></bulle-chat>${script()}${tag()}`);
    await region(page).getByRole("textbox").waitFor();
    await bubble.launcher.click();
    await bubble.dialog.getByRole("textbox").waitFor();
    await page.evaluate(() => document.querySelector("bulle-chat").remove());
    await call(page, "close");
    await bubble.dialog.waitFor({ state: "hidden" });
  });

  test("an unknown site is told in the console and harms nothing", async () => {
    const { page, seen, uncaught } = await host(`<bulle-chat site="nope"></bulle-chat>${script()}`);
    await page.waitForLoadState("networkidle");
    await page.waitForFunction(() => customElements.get("bulle-chat"));
    assert.ok(seen.errors.some((line) => /\[Bulle\] No site has the key "nope"/.test(line)), seen.errors.join("\n"));
    assert.deepEqual(await uncaught(), []);
  });
});

describe("the page of its own", () => {
  test("speaks, has a strict policy, can be installed and prints everything", async () => {
    const { page, seen, reports } = await open(`${edge.url}/c/plain-demo`);
    await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
    assert.equal(await page.title(), "Boulangerie Nord");
    const { headers } = await fetch(`${edge.url}/c/plain-demo`);
    const policy = headers.get("content-security-policy");
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'/);
    assert.equal(headers.get("x-robots-tag"), "noindex");
    assert.equal(headers.get("cross-origin-embedder-policy"), "credentialless");
    assert.equal(headers.get("cross-origin-resource-policy"), "cross-origin");
    const manifest = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
    assert.deepEqual([manifest.name, manifest.display, manifest.start_url], ["Boulangerie Nord", "standalone", "/c/plain-demo"]);
    const icon = await fetch(edge.url + manifest.icons[0].src);
    assert.equal(icon.headers.get("content-type"), "image/svg+xml");
    await picture(page, "hosted");
    await page.emulateMedia({ media: "print" });
    for (const text of [QUESTION, ANSWER]) assert.ok(await page.getByText(text).first().isVisible());
    const log = await page.getByRole("log").evaluate((node) => [node.scrollHeight, node.clientHeight, getComputedStyle(node).overflowY]);
    assert.equal(log[2], "visible");
    assert.equal(await page.getByRole("textbox").count(), 0, "the composer is not printed");
    assert.deepEqual(await reports(), []);
    assert.deepEqual(seen.errors, []);
  });

  test("is accessible", async () => {
    // The page's own policy would refuse the script of axe.
    const { page } = await open(`${edge.url}/c/plain-demo`, { bypassCSP: true });
    await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
    assert.deepEqual(await violations(page), []);
  });

  test("speaks the visitor's language", async () => {
    const { page } = await open(`${edge.url}/c/twin-demo`, { locale: "fr-FR" });
    await page.getByRole("button", { name: "Envoyer" }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "fr");
    const { page: other } = await open(`${edge.url}/c/twin-demo?locale=en`, { locale: "fr-FR" });
    await other.getByRole("button", { name: "Send" }).waitFor();
  });

  test("works for a site whose own origins do not name the edge, and lets nobody else in", async () => {
    const owner = await Owner.with(edge, "hosted", { limits: GENEROUS }, ["https://example.com"]);
    const { page } = await open(`${edge.url}/c/${owner.site.key}`);
    await page.getByRole("textbox").fill("Hello");
    await page.getByRole("textbox").press("Enter");
    await page.getByRole("button", { name: "Send" }).waitFor();
    const session = (origin) =>
      fetch(`${edge.url}/v1/sessions`, { method: "POST", headers: { origin, "x-bulle-own": "1", "content-type": "application/json" }, body: JSON.stringify({ site: owner.site.key }) });
    assert.equal((await session("https://example.com")).status, 201);
    assert.equal((await session(edge.url)).status, 201);
    assert.equal((await session("https://evil.example")).status, 403);
    assert.equal((await session(edge.url.replace("localhost", "127.0.0.1"))).status, 403);
    const framed = await fetch(`${edge.url}/c/${owner.site.key}?frame`);
    assert.match(framed.headers.get("content-security-policy"), /frame-ancestors https:\/\/example\.com;/);
    await owner.patch("/bots/bot", { settings: { access: { hosted_page: false } } });
    assert.equal((await fetch(`${edge.url}/c/${owner.site.key}`)).status, 404);
    assert.equal((await session(edge.url)).status, 403);
  });

  test("says calmly what is not there, and what is paused", async () => {
    const { page } = await open(`${edge.url}/c/nope`);
    await page.getByText("not available").waitFor();
    const owner = await Owner.with(edge, "resting", { limits: GENEROUS }, ["https://example.com"]);
    await owner.patch("/bots/bot", { status: "paused" });
    const paused = await open(`${edge.url}/c/${owner.site.key}`);
    await paused.page.getByText("taking a break").waitFor();
    assert.equal((await fetch(`${edge.url}/c/${owner.site.key}`)).status, 503);
  });
});

describe("browsers and networks that fail", () => {
  /** Errors of the bubble do not reach the page's error handler. */
  async function calm({ uncaught }) {
    assert.deepEqual(await uncaught(), []);
  }

  test("without WebAssembly there is a calm message", async () => {
    const visitor = await host(tag(), { script: () => delete window.WebAssembly });
    await visitor.bubble.launcher.click();
    await visitor.bubble.dialog.getByText("cannot be reached").first().waitFor();
    await calm(visitor);
  });

  test("without constructed style sheets there is nothing", async () => {
    const visitor = await host(tag(), { script: () => { delete Document.prototype.adoptedStyleSheets; } });
    await visitor.page.waitForLoadState("networkidle");
    assert.equal(await visitor.page.locator("[data-bulle]").count(), 0);
    assert.deepEqual(visitor.seen.errors, []);
    await calm(visitor);
  });

  for (const part of ["js", "wasm", "css"]) {
    test(`code whose ${part} does not come is a calm message with a way out`, async () => {
      const visitor = await host(tag());
      await visitor.page.route(`**/a/*.${part}*`, (route) => route.abort());
      await visitor.bubble.launcher.click();
      await visitor.bubble.dialog.getByText("cannot be reached").first().waitFor();
      await calm(visitor);
      await visitor.page.unroute(`**/a/*.${part}*`);
      await visitor.bubble.retry.click();
      await visitor.bubble.input.waitFor();
      await calm(visitor);
    });
  }

  test("a loader that is cut off, blocked or in a sandbox harms nothing", async () => {
    const cut = await open("about:blank");
    await cut.page.route("**/s/*.js", (route) => route.abort());
    pages["/cut"] = html(tag());
    await cut.page.goto(`${site.url}/cut`);
    await cut.page.waitForLoadState("networkidle");
    await calm(cut);
    pages["/inner"] = html(tag());
    const sandboxed = await host(`<iframe sandbox="allow-scripts" src="/inner" width="600" height="600"></iframe>`, { path: "/sandbox" });
    await sandboxed.page.frameLocator("iframe").getByRole("button", { name: "Open the chat" }).click();
    await sandboxed.page.frameLocator("iframe").getByText("not available on this page").first().waitFor();
    await calm(sandboxed);
  });

  test("an edge that goes down after the loader is a calm message", async () => {
    const visitor = await host(tag());
    await visitor.bubble.launcher.waitFor();
    await visitor.page.route(`${edge.url}/**`, (route) => route.abort());
    await visitor.bubble.launcher.click();
    await visitor.bubble.dialog.getByText("cannot be reached").first().waitFor();
    // Closing works without the code.
    await visitor.page.keyboard.press("Escape");
    await visitor.bubble.dialog.waitFor({ state: "hidden" });
    await calm(visitor);
  });
});

test("an empty conversation is read from its greeting, also where it does not fit", async () => {
  const { page, bubble } = await host(tag(), { path: "/low", viewport: { width: 375, height: 380 } });
  await bubble.open();
  await bubble.settled();
  const [top, rest] = await bubble.log.evaluate((log) => [log.scrollTop, log.scrollHeight - log.clientHeight]);
  assert.ok(rest > 40, `${rest}`);
  assert.equal(top, 0);
  assert.equal(await bubble.dialog.getByRole("button", { name: "New messages" }).count(), 0);
  await page.evaluate(() => window.Bulle.push(["ask", "Do you deliver?"]));
  await bubble.log.getByText("cargo bike").first().waitFor();
});
