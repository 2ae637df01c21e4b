// The three ways in: the tag, the element, and the page of its own, also in a frame where a page's policy refuses the
// rest. What owners call, what pages do around the bubble, and what it leaves behind.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEdge } from "./support/edge.mjs";
import { Bubble, launch, picture, servePages, violations, watch } from "./support/browser.mjs";
import { GENEROUS, Owner, inSeconds, jwt } from "./support/owner.mjs";

let edge, browser, pages, site;
before(async () => {
  browser = await launch();
  edge = await startEdge();
  pages = {};
  site = await servePages(pages);
});
after(async () => {
  await browser?.close();
  site?.stop();
  await edge?.stop();
});

const tag = (more = "async") => `<script ${more} src="${edge.url}/s/plain-demo.js"></script>`;
const html = (body) => `<!doctype html><html lang="en"><title>Host</title><body><main><h1>Host</h1>${body}</main>`;
const QUESTION = "Do you deliver?";
const ANSWER = "cargo bike";

async function open(url, { script, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const seen = watch(page);
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => reports.push(`${event.effectiveDirective} ${event.blockedURI}`));
    window.uncaught = [];
    addEventListener("error", (event) => uncaught.push(event.message));
    addEventListener("unhandledrejection", (event) => uncaught.push(String(event.reason)));
  });
  if (script) await page.addInitScript(script);
  await page.goto(url);
  const bubble = new Bubble(page, "en");
  /** In the frame the panel is a region of the page. */
  const frame = page.frameLocator("[data-bulle] iframe");
  return { page, context, seen, bubble, frame, reports: () => page.evaluate(() => reports), uncaught: () => page.evaluate(() => uncaught) };
}

async function host(body, { headers, path = "/", ...options } = {}) {
  pages[path] = { html: html(body), headers };
  return open(site.url + path, options);
}

async function talk({ bubble }) {
  await bubble.open();
  await bubble.ask(QUESTION);
  await bubble.log.getByText(ANSWER).first().waitFor();
}

async function talkIn(frame) {
  await frame.getByRole("textbox").fill(QUESTION);
  await frame.getByRole("textbox").press("Enter");
  await frame.getByRole("log").getByText(ANSWER).first().waitFor();
}

const call = (page, ...call) => page.evaluate((call) => (window.Bulle ||= []).push(call), call);

describe("the owner's API", () => {
  test("what is called before there is a bubble waits for it, and nothing is fetched for it", async () => {
    const early = `<script>(window.Bulle ||= []).push(["on", "ready", () => (window.wasReady = true)]);Bulle.push(["on", "message", (m) => (window.asked = m.text)])</script>`;
    const { page, seen, bubble } = await host(`${early}${tag()}`);
    await bubble.launcher.waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(seen.requests.filter((line) => line.includes("/a/")).length, 0);
    await call(page, "ask", QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.equal(await bubble.count(QUESTION), 1);
    assert.equal(await page.evaluate(() => window.wasReady), true);
    assert.equal(await page.evaluate(() => window.asked), QUESTION);
    assert.deepEqual(seen.errors, []);
  });

  test("open, close, toggle, and what is heard of them", async () => {
    const { page, bubble, seen } = await host(tag());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.heard = [];
      for (const kind of ["ready", "open", "close", "message", "reply", "error", "unread"]) {
        Bulle["plain-demo"].on(kind, (detail) => heard.push([kind, detail]));
      }
      Bulle["plain-demo"].open();
    });
    await bubble.input.waitFor();
    await bubble.ask(QUESTION);
    await bubble.log.getByText(ANSWER).first().waitFor();
    await bubble.settled();
    await call(page, "toggle");
    await bubble.dialog.waitFor({ state: "hidden" });
    await page.evaluate(() => Bulle["plain-demo"].toggle());
    await bubble.dialog.waitFor();
    await page.evaluate(() => Bulle["plain-demo"].close());
    await bubble.dialog.waitFor({ state: "hidden" });
    const heard = await page.evaluate(() => heard);
    assert.deepEqual(heard.map(([kind]) => kind), ["open", "ready", "message", "reply", "close", "open", "close"]);
    assert.equal(heard[2][1].text, QUESTION);
    assert.match(heard[3][1].text, /cargo bike/);
    assert.deepEqual(seen.errors, []);
  });

  test("a listener that throws is reported and harms nothing", async () => {
    const { page, bubble, seen, uncaught } = await host(tag());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.after = 0;
      Bulle["plain-demo"].on("open", () => { throw new Error("the owner's own"); });
      Bulle["plain-demo"].on("open", () => (window.after += 1));
    });
    await talk({ bubble });
    assert.equal(await page.evaluate(() => window.after), 1);
    assert.match((await uncaught()).join(), /the owner's own/);
    assert.equal(seen.errors.filter((line) => !line.includes("the owner's own")).length, 0);
  });

  test("a reply that nobody sees is counted until the panel opens", async () => {
    const { page, bubble } = await host(tag());
    await bubble.open();
    await page.evaluate(() => {
      window.counts = [];
      Bulle["plain-demo"].on("unread", ({ count }) => counts.push(count));
    });
    await bubble.ask(QUESTION);
    await call(page, "close");
    await page.waitForFunction(() => counts.length > 0 || document.querySelector("[data-bulle]").shadowRoot.querySelector(".log").innerText.includes("cargo bike"));
    await bubble.launcher.click();
    await bubble.log.getByText(ANSWER).first().waitFor();
    await page.waitForFunction(() => counts.length === 0 || counts.at(-1) === 0);
  });

  test("looks can change at any time, on the launcher at once", async () => {
    const { page, bubble } = await host(tag(`async data-accent="#00aa00" data-position="left" data-size="compact"`));
    await bubble.launcher.waitFor();
    const look = () => bubble.launcher.evaluate((node) => {
      const { backgroundColor, color } = getComputedStyle(node);
      const box = node.getBoundingClientRect();
      return { backgroundColor, color, left: Math.round(box.left), width: Math.round(box.width) };
    });
    assert.deepEqual(await look(), { backgroundColor: "rgb(0, 170, 0)", color: await look().then((l) => l.color), left: 20, width: 52 });
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ accent: "#123456", position: "right", size: "large" }));
    assert.equal((await look()).backgroundColor, "rgb(18, 52, 86)");
    assert.ok((await look()).left > 600);
    await bubble.open();
    await page.evaluate(() => Bulle["plain-demo"].setTheme({ scheme: "dark", darkBg: "#001122" }));
    assert.equal(await bubble.dialog.evaluate((node) => getComputedStyle(node).backgroundColor), "rgb(0, 17, 34)");
    // The page has the last word.
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("[data-bulle]{--bulle-accent:#c00000}");
      document.adoptedStyleSheets.push(sheet);
    });
    assert.equal(await bubble.dialog.getByRole("button").last().evaluate((node) => getComputedStyle(node).getPropertyValue("--accent").trim()), "#c00000");
  });

  test("black or white stands on every accent with 4.5 to 1 and more", async () => {
    const { page, bubble } = await host(tag());
    await bubble.launcher.waitFor();
    const worst = await page.evaluate(() => {
      const launcher = document.querySelector("[data-bulle]").shadowRoot.querySelector(".launcher");
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const drawn = (colour) => {
        canvas.fillStyle = "#000";
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const luminance = (rgb) => {
        const [r, g, b] = rgb.map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let worst = [21, ""];
      for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) {
        Bulle["plain-demo"].setTheme({ accent: `rgb(${r} ${g} ${b})` });
        const { backgroundColor, color } = getComputedStyle(launcher);
        const [x, y] = [luminance(drawn(backgroundColor)), luminance(drawn(color))].sort((a, b) => b - a);
        const contrast = (x + 0.05) / (y + 0.05);
        if (contrast < worst[0]) worst = [contrast, `${backgroundColor} ${color}`];
      }
      return worst;
    });
    assert.ok(worst[0] >= 4.5, worst.join(" "));
  });

  test("another language is spoken at once, by the API and by the tag", async () => {
    const { page, bubble, seen } = await host(tag());
    await bubble.open();
    await page.evaluate(() => Bulle["plain-demo"].setLocale("fr"));
    const french = new Bubble(page, "fr");
    await french.send.waitFor();
    assert.equal(await page.locator("[data-bulle]").getAttribute("lang"), "fr");
    assert.equal(await page.locator("[data-bulle]").count(), 1);
    const worded = await host(tag(`async data-greeting="Bread?" data-text-placeholder="Say it" data-text-new_conversation="Afresh"`), { path: "/worded" });
    await worded.bubble.open();
    await worded.bubble.log.getByText("Bread?").waitFor();
    assert.equal(await worded.bubble.input.getAttribute("placeholder"), "Say it");
    const other = await host(tag(`async data-locale="fr" data-name="Ma boulangerie"`), { path: "/fr" });
    await other.bubble.launcher.click();
    await new Bubble(other.page, "fr").send.waitFor();
    await other.page.getByRole("dialog", { name: "Ma boulangerie" }).waitFor();
    const script = await host(`<script async src="${edge.url}/s/plain-demo.js?locale=fr"></script>`, { path: "/script" });
    await new Bubble(script.page, "fr").launcher.waitFor();
    assert.deepEqual([...seen.errors, ...other.seen.errors], []);
  });

  test("destroy leaves nothing, and the tag can run again", async () => {
    const { page, bubble, seen } = await host(tag(), {
      script: () => {
        window.alive = new Set();
        const { addEventListener, removeEventListener } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (kind, listener, options) {
          const target = this ?? window;
          if ([window, document, visualViewport].includes(target) && /\/(a\/bulle-|s\/plain)/.test(new Error().stack)) {
            const entry = { kind, listener };
            alive.add(entry);
            options?.signal?.addEventListener("abort", () => alive.delete(entry));
          }
          return addEventListener.call(target, kind, listener, options);
        };
        EventTarget.prototype.removeEventListener = function (kind, listener, options) {
          for (const entry of alive) if (entry.kind === kind && entry.listener === listener) alive.delete(entry);
          return removeEventListener.call(this ?? window, kind, listener, options);
        };
      },
    });
    await talk({ bubble });
    assert.ok((await page.evaluate(() => alive.size)) > 0);
    await page.evaluate(() => Bulle["plain-demo"].destroy());
    assert.equal(await page.locator("[data-bulle]").count(), 0);
    assert.equal(await page.evaluate(() => "plain-demo" in Bulle), false);
    const left = await page.evaluate(() => [...alive].map(({ kind }) => kind));
    assert.deepEqual(left, []);
    // Nothing comes back by itself, and nothing fails.
    await page.evaluate(() => document.body.append(document.createElement("p")));
    await page.evaluate(() => dispatchEvent(new Event("online")));
    assert.equal(await page.locator("[data-bulle]").count(), 0);
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement("script"), { src })), `${edge.url}/s/plain-demo.js`);
    await bubble.launcher.waitFor();
    await bubble.open();
    // The visitor is the same.
    await bubble.log.getByText(ANSWER).first().waitFor();
    assert.deepEqual(seen.errors, []);
  });

  test("two bubbles are spoken to together, or one by one", async () => {
    const { page } = await host(`${tag()}<script async src="${edge.url}/s/twin-demo.js"></script>`);
    await page.locator("[data-bulle]").nth(1).waitFor({ state: "attached" });
    await page.evaluate(() => Bulle["twin-demo"].open());
    await page.getByRole("dialog", { name: "Maëlle Kervadec" }).getByRole("textbox").waitFor();
    assert.equal(await page.getByRole("dialog").count(), 1);
    await call(page, "open");
    await page.getByRole("dialog", { name: "Boulangerie Nord" }).getByRole("textbox").waitFor();
    await call(page, "close");
    for (const name of ["Maëlle Kervadec", "Boulangerie Nord"]) await page.getByRole("dialog", { name }).waitFor({ state: "hidden" });
  });
});

describe("pages that change around the bubble", () => {
  test("a page that comes back from the browser's memory looks again", async () => {
    const { page, bubble, seen } = await host(tag());
    await talk({ bubble });
    const before = seen.requests.length;
    // What the browser does when it takes a page out of its memory.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await page.waitForResponse((response) => response.url().includes("/messages"), { timeout: 5_000 }).catch(() => {});
    assert.ok(seen.requests.slice(before).some((line) => line.startsWith("GET /v1/conversations/")), seen.requests.slice(before).join());
    await bubble.log.getByText(ANSWER).first().waitFor();
  });

  for (const [name, visit] of [
    ["history.pushState and new content", () => { history.pushState({}, "", "/next"); document.querySelector("h1").replaceWith(document.createElement("h1")); }],
    // Turbo Drive: the new page's body takes the place of the old one, and its scripts run again.
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

describe("strict pages", () => {
  const example = (name, options) => open(`${edge.site}/strict/${name}.html`, options);

  for (const name of ["nonce", "trusted-types", "isolated"]) {
    test(`${name}: in the page, without a report`, async () => {
      const visitor = await example(name);
      await talk(visitor);
      if (name === "isolated") assert.equal(await visitor.page.evaluate(() => crossOriginIsolated), true);
      assert.deepEqual(await visitor.reports(), []);
      assert.deepEqual(visitor.seen.errors, []);
    });
  }

  test("element: in the page, without a report", async () => {
    const { page, seen, reports } = await example("element");
    await talkIn(page.getByRole("region", { name: "Boulangerie Nord" }));
    assert.deepEqual(await reports(), []);
    assert.deepEqual(seen.errors, []);
  });

  for (const name of ["frame", "isolated-frame"]) {
    test(`${name}: in a frame, without a report`, async () => {
      const { page, bubble, frame, reports, seen } = await example(name);
      await bubble.launcher.click();
      await talkIn(frame);
      assert.deepEqual(await reports(), []);
      assert.deepEqual(seen.errors, []);
      assert.deepEqual(seen.requests.filter((line) => line.endsWith(".wasm")).length, 1, "the frame's own");
      await picture(page, name);
    });
  }

  test("hashes: WebAssembly is refused once, and a frame takes over", async () => {
    const { page, bubble, frame, reports, seen, uncaught } = await example("hashes");
    await bubble.launcher.click();
    await talkIn(frame);
    assert.deepEqual(await reports(), ["script-src wasm-eval"]);
    assert.deepEqual(seen.errors.filter((line) => !/WebAssembly|wasm/i.test(line)), []);
    assert.deepEqual(await uncaught(), []);
    // The visitor's way out and in again, by keys alone.
    await frame.getByRole("textbox").press("Escape");
    await bubble.dialog.waitFor({ state: "hidden" });
    assert.ok(await bubble.launcher.evaluate((node) => node.getRootNode().activeElement === node));
    await page.keyboard.press("Enter");
    await frame.getByRole("textbox").waitFor();
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.dialog.waitFor({ state: "hidden" });
  });

  test("no-connection: what is refused is seen, and a frame takes over", async () => {
    const { bubble, frame, reports, uncaught } = await example("no-connection");
    await bubble.launcher.click();
    await talkIn(frame);
    assert.ok((await reports()).every((line) => line.startsWith("connect-src ")), (await reports()).join());
    assert.deepEqual(await uncaught(), []);
  });

  test("no-frame: a calm message with a link to the bot's own page", async () => {
    const { page, context, bubble, uncaught } = await example("no-frame");
    await bubble.launcher.click();
    const link = bubble.dialog.getByRole("link", { name: "Open the chat" });
    await link.waitFor();
    await picture(page, "no-frame");
    const [tab] = await Promise.all([context.waitForEvent("page"), link.click()]);
    await talkIn(tab.getByRole("region", { name: "Boulangerie Nord" }));
    assert.deepEqual(await uncaught(), []);
  });
});

describe("the frame", () => {
  const framed = (owner, more = "") => `<script async src="${edge.url}/s/${owner?.site.key ?? "plain-demo"}.js" data-frame ${more}></script>`;

  test("the page hears that it is ready, open and closed, and nothing of what is said", async () => {
    const { page, bubble, frame } = await host(framed());
    await bubble.launcher.waitFor();
    await page.evaluate(() => {
      window.heard = [];
      window.posted = [];
      addEventListener("message", ({ data }) => posted.push(JSON.stringify(data)));
      for (const kind of ["ready", "open", "close", "message", "reply", "error", "unread"]) {
        Bulle["plain-demo"].on(kind, (detail) => heard.push([kind, JSON.stringify(detail)]));
      }
    });
    await call(page, "ask", QUESTION);
    await frame.getByRole("log").getByText(ANSWER).first().waitFor();
    await bubble.dialog.getByRole("button", { name: "Close the chat" }).click();
    await bubble.dialog.waitFor({ state: "hidden" });
    const heard = await page.evaluate(() => heard);
    assert.deepEqual(heard, [["open", "{}"], ["ready", "{}"], ["close", "{}"]]);
    assert.deepEqual(await page.evaluate(() => posted), ['"bulle"']);
  });

  test("messages from elsewhere are no messages of the frame", async () => {
    const { page, bubble, frame } = await host(framed());
    await bubble.launcher.click();
    await page.evaluate(() => {
      postMessage("bulle", "*");
      window.dispatchEvent(new MessageEvent("message", { data: "bulle", origin: "https://evil.example", source: window }));
    });
    await talkIn(frame);
    // And the frame does not speak to a page that is not around it.
    const { page: other } = await open(`${edge.url}/c/plain-demo`);
    await other.evaluate(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (window.spoken = true);
      postMessage("bulle", "*", [port2]);
    });
    await other.getByRole("region").getByRole("textbox").waitFor();
    assert.equal(await other.evaluate(() => window.spoken), undefined);
  });

  test("a known visitor is known in it, and forgotten in it", async () => {
    const owner = await Owner.with(edge, "framed", { limits: GENEROUS }, [site.url]);
    const { secret } = await owner.post("/identity-secrets");
    const identity = jwt(secret, { sub: "7", tier: "premium", exp: inSeconds(600), name: "Ada" });
    const { page, frame } = await host(framed(owner, `data-identity="${identity}"`), { path: "/known", locale: "fr-FR" });
    const bubble = new Bubble(page, "fr");
    await bubble.launcher.click();
    await frame.getByRole("textbox").fill("Ma question secrète");
    await frame.getByRole("textbox").press("Enter");
    await frame.getByRole("log").getByText("Ma question secrète").first().waitFor();
    await frame.getByRole("button", { name: "Envoyer" }).waitFor();
    // On another device, by a function.
    const phone = await host(framed(owner), { path: "/phone", locale: "fr-FR" });
    await phone.page.evaluate(([key, jwt]) => {
      window.asked = 0;
      (window.Bulle ||= []).push(["identify", async () => (window.asked += 1, jwt)]);
    }, [owner.site.key, identity]);
    await new Bubble(phone.page, "fr").launcher.click();
    await phone.frame.getByRole("log").getByText("Ma question secrète").first().waitFor();
    assert.ok((await phone.page.evaluate(() => window.asked)) > 0);
    await phone.page.evaluate((key) => Bulle[key].signOut(), owner.site.key);
    await phone.frame.getByRole("log").getByText("Ma question secrète").first().waitFor({ state: "hidden" });
    await phone.frame.getByRole("textbox").waitFor();
  });

  test("storage that is blocked in it costs the memory, not the chat", async () => {
    const { bubble, frame, uncaught } = await host(framed(), {
      script: () => {
        if (window === top) return;
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, { get: () => { throw new DOMException("blocked", "SecurityError"); } });
        }
      },
    });
    await bubble.launcher.click();
    await talkIn(frame);
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
    assert.equal(headers.get("cross-origin-embedder-policy"), "require-corp");
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
    // The page's own policy would refuse the tool that looks.
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
  /** No error of ours reaches the page's own watch. */
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
    // The way out works without the code.
    await visitor.page.keyboard.press("Escape");
    await visitor.bubble.dialog.waitFor({ state: "hidden" });
    await calm(visitor);
  });
});
