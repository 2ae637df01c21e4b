// The whole path in a real browser, answered from the documents: the tag, the bubble, an answer with its sources, and a
// stored conversation.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Bubble, focused, picture, violations, watch } from "./support/browser.mjs";
import { browser, edge, pages, site, start } from "./support/start.mjs";
import { gate } from "./support/wait.mjs";

const QUESTION = "Quelle est ton expérience avec Kubernetes ?";

start();

async function visit(path, options = {}) {
  const context = await browser.newContext({ locale: "fr-FR", ...options });
  const page = await context.newPage();
  const seen = watch(page);
  await page.goto(path.startsWith("/") ? edge.site + path : path);
  return { page, context, seen, bubble: new Bubble(page, options.locale?.slice(0, 2) ?? "fr") };
}

/** All data that the browser stores for the page. */
const stored = (page) =>
  page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie }));
const NOTHING = { local: {}, session: {}, cookies: "" };

test("a visitor asks, reads a sourced answer, reloads, and finds the conversation again", async () => {
  const { page, context, seen, bubble } = await visit("/digital-twin/");
  await bubble.open();
  await bubble.log.getByText("jumeau numérique").first().waitFor();
  await bubble.ask(QUESTION);
  assert.equal(await bubble.count("depuis mars 2017") > 0, true);
  await bubble.settled();
  assert.equal(await bubble.count(QUESTION), 1);
  const answer = await bubble.text();
  assert.match(answer, /Sources?/);
  const sources = bubble.log.locator(`a[href^="${edge.site}/digital-twin/"]`);
  assert.ok((await sources.count()) > 0);
  await picture(page, "twin-answer");

  await page.reload();
  await bubble.reopen();
  assert.equal(await bubble.count(QUESTION), 1);
  await bubble.log.getByText("depuis mars 2017").first().waitFor();

  // Another tab of the same visitor shows it, too.
  const tab = await context.newPage();
  await tab.goto(`${edge.site}/digital-twin/cv.html`);
  const other = await new Bubble(tab).open();
  assert.equal(await other.count(QUESTION), 1);

  // The conversation is the same after the panel was closed and opened.
  await bubble.input.press("Escape");
  await bubble.dialog.waitFor({ state: "hidden" });
  await bubble.open();
  assert.equal(await bubble.count(QUESTION), 1);
  assert.deepEqual(seen.errors, []);
});

test("before intent there is one request and nothing stored; code comes on intent, calls on opening", async () => {
  const { page, seen, bubble } = await visit("/plain/", { locale: "en-GB" });
  await bubble.launcher.waitFor();
  await page.waitForLoadState("networkidle");
  const edgeRequests = () => seen.requests.filter((line) => !line.includes("/plain/") && !line.includes("favicon"));
  assert.deepEqual(edgeRequests(), ["GET /s/plain-demo.js"]);
  assert.deepEqual(await stored(page), NOTHING);
  assert.equal(await page.evaluate(() => document.title), "Plain page");

  await bubble.launcher.hover();
  await page.waitForLoadState("networkidle");
  const code = edgeRequests().slice(1);
  assert.equal(code.filter((line) => /^GET \/a\/bulle-[0-9A-Za-z]+\.(js|wasm|css)$/.test(line)).length, 3);
  assert.equal(code.filter((line) => !line.startsWith("GET /a/")).length, 0);
  assert.deepEqual(await stored(page), NOTHING);

  await bubble.open();
  await page.waitForLoadState("networkidle");
  assert.ok(edgeRequests().includes("POST /v1/sessions"));
  assert.ok(!edgeRequests().includes("POST /v1/conversations"));
  const { local, cookies } = await stored(page);
  assert.deepEqual([local, cookies], [{}, ""]);

  await bubble.ask("How much is a baguette?");
  await bubble.log.getByText("€1.30").first().waitFor();
  assert.deepEqual(Object.keys((await stored(page)).local), ["bulle:plain-demo"]);
  assert.deepEqual(seen.errors, []);
});

test("the keyboard alone is enough", async () => {
  const { page, bubble } = await visit("/plain/", { locale: "en-GB" });
  await bubble.launcher.waitFor();
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press("Tab");
    if (await bubble.launcher.evaluate((node) => node.getRootNode().activeElement === node)) break;
  }
  await page.keyboard.press("Enter");
  await bubble.input.waitFor();
  assert.equal(await focused(page, "textbox"), "textbox");
  await page.keyboard.type("Do you deliver");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("in Rennes?");
  assert.equal(await bubble.input.inputValue(), "Do you deliver\nin Rennes?");
  await page.keyboard.press("Enter");
  await bubble.log.getByText("cargo bike").first().waitFor();
  assert.equal(await bubble.input.inputValue(), "");
  await page.keyboard.type("draft");
  await page.keyboard.press("Escape");
  await bubble.dialog.waitFor({ state: "hidden" });
  assert.ok(await bubble.launcher.evaluate((node) => node.getRootNode().activeElement === node));
  await page.keyboard.press("Enter");
  await bubble.input.waitFor();
  assert.equal(await bubble.input.inputValue(), "draft");
});

for (const [width, height] of [[1280, 520], [640, 400]]) {
  test(`a long answer is read from its start, and the way to its end is offered: ${height} pixels`, async () => {
    const { page, bubble } = await visit("/digital-twin/", { viewport: { width, height } });
    await bubble.open();
    await bubble.ask(QUESTION);
    await bubble.log.getByText("depuis mars 2017").first().waitFor();
    await bubble.settled();
    const top = async () => {
      const [list, question] = [await bubble.log.boundingBox(), await bubble.log.getByText(QUESTION).last().boundingBox()];
      return question.y - list.y;
    };
    assert.ok((await top()) >= 0 && (await top()) < 40, `the question stands at ${await top()}`);
    await bubble.dialog.getByRole("button", { name: "Nouveaux messages" }).click();
    assert.ok((await top()) < 0);
    // The button is removed, so the list takes the keyboard focus.
    assert.equal(await focused(page, "log"), "log");
    // The page around the bubble has not scrolled.
    assert.equal(await page.evaluate(() => scrollY), 0);
  });
}

test("two tabs opened before the first message are one visitor, with one conversation", async () => {
  const { page, context, bubble } = await visit("/plain/", { locale: "en-GB" });
  const tab = await context.newPage();
  await tab.goto(`${edge.site}/plain/`);
  const other = await new Bubble(tab, "en").open();
  await bubble.open();
  await bubble.ask("Do you deliver?");
  await bubble.log.getByText("cargo bike").first().waitFor();
  await other.ask("How much is a baguette?");
  await other.log.getByText("€1.30").first().waitFor();
  assert.equal(await other.count("Do you deliver?"), 1);
  await page.reload();
  await bubble.reopen();
  assert.equal(await bubble.count("How much is a baguette?"), 1);
});

test("an input method composes without sending", async () => {
  const { bubble } = await visit("/plain/", { locale: "en-GB" });
  await bubble.open();
  await bubble.input.fill("にほんご");
  await bubble.input.evaluate((node) =>
    node.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, composed: true })),
  );
  assert.equal(await bubble.input.inputValue(), "にほんご");
  assert.equal(await bubble.log.getByText("にほんご").count(), 0);
});

test("the conversation outlives the server", async () => {
  const first = await startEdge({ state: `${edge.state}-restarted` });
  const context = await browser.newContext({ locale: "fr-FR" });
  const page = await context.newPage();
  let again;
  try {
    await page.goto(`${first.site}/digital-twin/`);
    const bubble = await new Bubble(page).open();
    await bubble.ask("Où as-tu étudié ?");
    await bubble.log.getByText("Lannion").first().waitFor();
    await first.stop();
    again = await startEdge({ state: first.state, port: first.port });
    await page.goto(`${again.site}/digital-twin/`);
    await bubble.reopen();
    await bubble.log.getByText("Lannion").first().waitFor();
    assert.equal(await bubble.count("Où as-tu étudié ?"), 1);
  } finally {
    await context.close();
    await (again ?? first).stop();
  }
});

describe("looks and assistive technology", () => {
  const views = {
    desktop: { viewport: { width: 1280, height: 800 } },
    phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
    dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
    zoom: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  };
  for (const [name, options] of Object.entries(views)) {
    test(`${name}: no violation when closed, empty, answered and refused`, async () => {
      const { page, bubble } = await visit("/digital-twin/", options);
      await bubble.launcher.waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `${name}-closed`);
      await bubble.open();
      await bubble.log.getByText("jumeau").first().waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `${name}-empty`);
      await bubble.ask(QUESTION);
      await bubble.log.getByText("depuis mars 2017").first().waitFor();
      await bubble.settled();
      assert.deepEqual(await violations(page), []);
      await picture(page, `${name}-answer`);
      await page.route("**/v1/**", (route) => route.abort());
      await bubble.ask("Et Rust ?");
      await picture(page, `${name}-reconnecting`);
      assert.deepEqual(await violations(page), []);
    });
  }

  test("right to left mirrors the bubble", async () => {
    const { page, bubble } = await visit("about:blank");
    await page.route("**/s/*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(',"fr",', ',"ar",').replace('{"accent"', '{"dir":"rtl","accent"') });
    });
    await page.goto(`${edge.site}/digital-twin/`);
    await bubble.open();
    await bubble.ask("مرحبا Kubernetes");
    await bubble.log.getByText("Kubernetes").first().waitFor();
    assert.equal(await bubble.log.evaluate((node) => getComputedStyle(node).direction), "rtl");
    await picture(page, "rtl");
  });

  test("a phone is filled, without a sideways scroll of the page", async () => {
    const { page, bubble } = await visit("/digital-twin/", views.phone);
    await bubble.open();
    const box = await bubble.dialog.boundingBox();
    assert.deepEqual([box.x, box.y, box.width], [0, 0, 390]);
    assert.ok(Math.abs(box.height - 844) < 2);
    const size = await bubble.input.evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
    assert.ok(size >= 16, "smaller text makes phones zoom");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  });

  test("a phone's panel keeps the focus inside, and the keyboard down until it is wanted", async () => {
    const { page, bubble } = await visit("/digital-twin/", views.phone);
    await bubble.open();
    await bubble.log.getByText("jumeau").first().waitFor();
    assert.equal(await bubble.dialog.getAttribute("aria-modal"), "true");
    assert.equal(await focused(page, "log"), "log");
    const visited = new Set();
    for (const key of ["Tab", "Shift+Tab"]) {
      for (let i = 0; i < 20; i += 1) {
        await page.keyboard.press(key);
        visited.add(await focused(page));
      }
    }
    assert.ok(visited.has("textbox") && visited.has("button"), [...visited].join());
    assert.ok(!visited.has("page"), "the focus went to what nobody sees");
    await bubble.dialog.getByRole("listitem").getByRole("button").first().tap();
    await bubble.stop.or(bubble.send).first().waitFor();
    assert.equal(await focused(page, "log"), "log");
  });
});

describe("the tag", () => {
  const tag = (more = "async") => `<script ${more} src="${edge.url}/s/plain-demo.js"></script>`;
  const body = "<h1>Host</h1><p>Text</p>";

  async function host(html, headers) {
    pages["/"] = { html: `<!doctype html><html lang="en"><title>Host</title>${html}`, headers };
    return visit(`${site.url}/`, { locale: "en-GB" });
  }

  async function works({ bubble, seen }) {
    await bubble.open();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    // The heading, the text and the one element of the bubble.
    assert.equal(await bubble.page.locator("body > :not(script), html > [data-bulle]").count(), 3);
    assert.deepEqual(seen.errors, []);
  }

  for (const [name, html] of [
    ["async in the head", () => `<head>${tag()}</head><body>${body}`],
    ["defer in the head", () => `<head>${tag("defer")}</head><body>${body}`],
    ["blocking in the head", () => `<head>${tag("")}</head><body>${body}`],
    ["at the end of the body", () => `<body>${body}${tag("")}`],
  ]) {
    test(`${name} works`, async () => works(await host(html())));
  }

  test("twice on a page makes one bubble", async () => {
    const visitor = await host(`<head>${tag()}</head><body>${body}${tag()}${tag("defer")}`);
    await visitor.bubble.launcher.waitFor();
    await visitor.page.waitForLoadState("networkidle");
    assert.equal(await visitor.bubble.launcher.count(), 1);
    await works(visitor);
  });

  test("works under a strict policy with a nonce and Trusted Types, without a report", async () => {
    const policy = [
      "default-src 'none'",
      `script-src 'nonce-abc' ${edge.url} 'wasm-unsafe-eval'`,
      `connect-src ${edge.url}`,
      "style-src 'none'",
      "img-src 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; ");
    await works(await host(`<body>${body}${tag('nonce="abc" async')}`, { "content-security-policy": policy }));
  });

  test("leaves the page as it was but for one element", async () => {
    const { page, bubble } = await host(`<head><meta name="viewport" content="width=500"></head><body>${body}`);
    const look = () =>
      page.evaluate(() => ({
        globals: Object.keys(window).filter((key) => key !== "Bulle"),
        head: document.head.innerHTML,
        title: document.title,
        children: [...document.documentElement.children, ...document.body.children].map((child) => child.tagName).filter((name) => name !== "SCRIPT"),
        layout: document.querySelector("p").getBoundingClientRect().toJSON(),
      }));
    const was = await look();
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement("script"), { src })), `${edge.url}/s/plain-demo.js`);
    await bubble.open();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    const is = await look();
    assert.equal(is.children.length, was.children.length + 1);
    assert.deepEqual({ ...is, children: was.children }, was);
  });

  test("hostile styles of the page stay outside", async () => {
    const hostile = "<style>*{color:red!important;font-size:40px!important}button{display:none!important}div{transform:rotate(9deg)}</style>";
    const { page, bubble } = await host(`<head>${hostile}</head><body>${body}${tag()}`);
    await bubble.open();
    assert.notEqual(await bubble.input.evaluate((node) => getComputedStyle(node).fontSize), "40px");
    assert.ok(await bubble.send.isVisible());
    const launcher = page.locator("[data-bulle] .launcher");
    for (const rules of [
      "div:empty{display:none!important}",
      "html>*{transform:rotate(9deg);max-width:100px;position:relative;opacity:.1;overflow:hidden}",
      "html>*{transform:translateX(-500px)!important;visibility:hidden!important;position:static!important}",
    ]) {
      await host(`<head><style>${rules}</style></head><body>${body}${tag()}`).then(async (visitor) => {
        await visitor.bubble.launcher.waitFor();
        const box = await visitor.bubble.launcher.boundingBox();
        const { width, height } = visitor.page.viewportSize();
        const place = [width - box.x - box.width, height - box.y - box.height, box.width, box.height].map(Math.round);
        assert.deepEqual(place, [20, 20, 60, 60], rules);
        await visitor.bubble.open();
      });
    }
    await launcher.waitFor();
  });

  test("a page that replaces its content keeps the bubble and its conversation", async () => {
    const { page, bubble } = await host(`<body>${body}${tag()}`);
    await bubble.open();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    for (const replace of [
      () => (document.body.innerHTML = "<h1>Next page</h1>"),
      () => document.body.replaceWith(Object.assign(document.createElement("body"), { innerHTML: "<h1>Other body</h1>" })),
      () => (document.body.innerHTML = ""),
    ]) {
      await page.evaluate(replace);
      await bubble.log.getByText("cargo bike").first().waitFor();
      assert.equal(await page.locator("[data-bulle]").count(), 1);
    }
    // A second run of the tag puts back the bubble that the page has removed together with its parents.
    await page.evaluate((src) => {
      const root = document.implementation.createHTMLDocument().documentElement;
      document.documentElement.replaceWith(root);
      root.lastChild.append(Object.assign(document.createElement("script"), { src }));
    }, `${edge.url}/s/plain-demo.js`);
    await bubble.log.getByText("cargo bike").first().waitFor();
    assert.equal(await page.locator("[data-bulle]").count(), 1);
  });

  test("two sites on one page stand side by side", async () => {
    const second = `<script async src="${edge.url}/s/twin-demo.js"></script>`;
    const { page } = await host(`<body>${body}${tag()}${second}`);
    const launchers = page.locator("[data-bulle] .launcher");
    await launchers.nth(1).waitFor();
    const boxes = await Promise.all([0, 1].map((at) => launchers.nth(at).boundingBox()));
    const [right, left] = boxes.sort((a, b) => b.x - a.x);
    assert.ok(left.x + left.width <= right.x, JSON.stringify(boxes));
    for (const at of [0, 1]) {
      await launchers.nth(at).click();
      await page.getByRole("dialog").getByRole("textbox").waitFor();
      await page.keyboard.press("Escape");
      // The second panel opens when the first one has faded out.
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    }
  });

  test("a visitor who has gone on in the page meanwhile keeps the focus there", async () => {
    const { page, bubble } = await host(`<body>${body}<input aria-label="Name">${tag()}`);
    const filled = gate();
    await page.route("**/v1/sessions", async (route) => {
      await filled.opened;
      await route.continue();
    });
    await bubble.launcher.click();
    await page.getByLabel("Name").fill("Ada");
    filled.open();
    await bubble.input.waitFor();
    await page.keyboard.type(" Lovelace");
    assert.equal(await page.getByLabel("Name").inputValue(), "Ada Lovelace");
  });

  test("storage that is blocked costs the memory, not the chat", async () => {
    const { page, bubble, seen } = await visit("about:blank", { locale: "en-GB" });
    await page.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, name, { get: () => { throw new DOMException("blocked", "SecurityError"); } });
      }
    });
    pages["/"] = `<!doctype html><html lang="en"><title>Host</title><body>${body}${tag()}`;
    await page.goto(`${site.url}/`);
    await works({ bubble, seen });
  });

  test("an unknown key is told in the console and harms nothing", async () => {
    const { page, seen } = await host(`<body>${body}<script async src="${edge.url}/s/nope.js"></script>`);
    await page.waitForLoadState("networkidle");
    assert.equal(seen.errors.length, 1);
    assert.match(seen.errors[0], /\[Bulle\] No site has the key "nope"/);
    assert.equal(await page.locator("body > *:not(script)").count(), 2);
  });

  test("an origin that is not on the list is told in the console, the visitor stays calm", async () => {
    pages["/"] = `<!doctype html><html lang="en"><title>Host</title><body>${body}${tag()}`;
    const foreign = site.url.replace("localhost", "elsewhere.localhost");
    const { bubble, seen } = await visit(`${foreign}/`, { locale: "en-GB" });
    await bubble.launcher.click();
    await bubble.dialog.getByText("not available on this page").first().waitFor();
    assert.ok(seen.errors.some((line) => line.includes("[Bulle]") && line.includes(foreign)), seen.errors.join("\n"));
  });

  test("code that cannot be loaded is a calm message with a way out", async () => {
    const { page, bubble, seen } = await host(`<body>${body}${tag()}`);
    await page.route("**/a/*.wasm", (route) => route.abort());
    await bubble.launcher.click();
    await bubble.dialog.getByText("cannot be reached").first().waitFor();
    await picture(page, "code-failed");
    await page.unroute("**/a/*.wasm");
    await bubble.retry.click();
    await bubble.input.waitFor();
    assert.deepEqual(seen.errors.filter((line) => !line.includes("net::ERR_FAILED") && !line.includes("[Bulle]")), []);
  });
});
