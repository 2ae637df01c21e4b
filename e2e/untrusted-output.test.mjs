// Hostile output of a model, and browsers that refuse functions: text stays inert and readable, and the page keeps
// working.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Bubble, fillStorage, picture, violations, watch } from "./support/browser.mjs";
import { browser, edge, start, upstream } from "./support/start.mjs";
import { answer, stream } from "./support/upstream.mjs";
import { gate } from "./support/wait.mjs";

start({ model: true });
let context, page, seen, bubble;
afterEach(() => context?.close());

/** A page with an open bubble; `script` runs in the page before anything else. */
async function visit(script) {
  context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 } });
  if (script) await context.addInitScript(script);
  page = await context.newPage();
  seen = watch(page);
  page.on("dialog", (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  await page.goto(`${edge.site}/plain/`);
  bubble = await new Bubble(page, "en").open();
}

/** Asks, and has the model answer with this text, cut into small pieces, followed by a last line to wait for. */
async function hear(text) {
  const pieces = `${text}\n\nThe end`.match(/[^]{1,2000}/gu);
  upstream.behave = (response) => stream(response, answer(pieces));
  await bubble.ask("Go on");
  await bubble.log.getByText("The end").last().waitFor();
  await bubble.settled();
}

/** Traces of injected scripts, and whether everything stays within the panel. */
const harm = () =>
  page.evaluate(() => {
    const root = document.querySelector("[data-bulle]").shadowRoot;
    const log = root.querySelector("[role=log]");
    const live = "script,iframe,object,embed,form,style,link,meta,base,svg:not(.icon),[onerror],[onload],[onclick],[srcdoc]";
    return {
      ran: window.harmed === true,
      live: log.querySelectorAll(live).length,
      links: [...log.querySelectorAll("a")].map((link) => link.protocol).filter((protocol) => !/^(https?|mailto|tel):$/.test(protocol)),
      sideways: log.scrollWidth > log.clientWidth || document.documentElement.scrollWidth > innerWidth,
    };
  });
const NONE = { ran: false, live: 0, links: [], sideways: false };

const HOSTILE = {
  "HTML and scripts": [
    '<script>window.harmed = true</script><img src=x onerror="window.harmed = true"><svg onload="window.harmed=true"></svg>',
    '<iframe srcdoc="<script>parent.harmed=true</script>"></iframe>\n\n<style>*{display:none}</style>\n\n<form action="https://evil.example"><input name=a></form>',
    "<a href=\"javascript:window.harmed=true\">a</a> <b onclick='window.harmed=true'>b</b> &lt;script&gt; <!-- comment -->",
  ].join("\n\n"),
  "links that are none": [
    "[one](javascript:window.harmed=true) [two](JaVaScRiPt:window.harmed=true) [three](data:text/html,<script>parent.harmed=true</script>)",
    "[four](vbscript:x) [five](file:///etc/passwd) [six]( javascript:window.harmed=true) <javascript:window.harmed=true> [seven](//evil.example)",
    "![x](javascript:window.harmed=true) ![y](data:image/svg+xml,<svg/onload=alert(1)>) [ok](https://example.com)",
  ].join("\n\n"),
  "a giant table": `| ${Array.from({ length: 30 }, (_, n) => `column ${n}`).join(" | ")} |\n|${"---|".repeat(30)}\n${`| ${"cell | ".repeat(30)}\n`.repeat(60)}`,
  "a word of 100,000 characters": "a".repeat(100_000),
  "a code line of 50,000 characters": `\`\`\`\n${"x".repeat(50_000)}\n\`\`\``,
  "bidi overrides": "Pay \u202egnp.exe\u202c now, \u2067isolated\u2069, \u200fmark, \u202d\u202d\u202d\u202dnever closed [link\u202egnp](https://example.com)",
  zalgo: Array.from("zalgo comes", (char) => char + "\u0300\u0301\u0302\u0303\u0308\u030a\u0334\u0335".repeat(25)).join(""),
  "thousands of nested lists": `${Array.from({ length: 1500 }, (_, n) => `${" ".repeat(Math.min(n * 2, 60))}- level ${n}`).join("\n")}`,
  "thousands of nested quotes and brackets": `${">".repeat(3000)} deep\n\n${"[".repeat(3000)}x${"](https://example.com)".repeat(3000)}\n\n${"*".repeat(3001)}y${"*".repeat(3001)}`,
  "a fence that is never closed": "Here:\n\n```html\n<script>window.harmed = true</script>\n<p>still code",
  "nothing that can be seen": "\u200b\u200d\ufeff\u2060\u00ad",
  "control characters": "a\u0000b\u0007c\u001b[31md\u0085e\ufffdf\u2028g",
};

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`an answer of ${name} is inert and stays inside`, async () => {
    await visit();
    await hear(text);
    assert.deepEqual(await harm(), NONE);
    // The page and the bubble still respond.
    await bubble.input.fill("Still here?");
    assert.equal(await bubble.input.inputValue(), "Still here?");
    await picture(page, `hostile-${name.replaceAll(" ", "-")}`);
    if (text.length < 5_000) assert.deepEqual(await violations(page), []);
    await page.reload();
    await bubble.log.getByText("The end").waitFor();
    assert.deepEqual(await harm(), NONE, "read again from the history");
    assert.deepEqual(seen.errors, []);
  });
}

/** Browsers that refuse a function: each is a script that runs before the page's own. */
const REFUSING = {
  "storage is blocked": () => {
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get: () => { throw new DOMException("denied", "SecurityError"); } });
    }
  },
  "storage is full": fillStorage,
  "the clock is wrong by years": () => {
    const now = Date.now.bind(Date);
    Date.now = () => now() - 5 * 365 * 86_400_000;
  },
  "the clock jumps": () => {
    const now = Date.now.bind(Date);
    let n = 0;
    Date.now = () => now() + (n++ % 2 ? 3_600_000 : -3_600_000);
  },
  "tabs cannot speak to each other": () => {
    delete window.BroadcastChannel;
  },
  "there is nothing to copy to": () => {
    Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined });
  },
};

for (const [name, script] of Object.entries(REFUSING)) {
  test(`a conversation goes on when ${name}`, async () => {
    await visit(script);
    await hear("Hello.");
    await bubble.log.getByRole("button", { name: "Copy the answer" }).click();
    await bubble.input.focus();
    await hear("Once more.");
    assert.equal(await bubble.count("Hello."), 1);
    assert.deepEqual(seen.errors, []);
  });
}

describe("copying", () => {
  /** The text of the live region. */
  const said = () => bubble.dialog.getByRole("status").getByText("Copied");
  const copy = () => bubble.log.getByRole("button", { name: "Copy the answer" }).click();
  const refuse = () => {
    window.tried = [];
    navigator.clipboard.writeText = async () => {
      tried.push("clipboard");
      throw new DOMException("denied", "NotAllowedError");
    };
    const { execCommand } = document;
    document.execCommand = (command) => {
      tried.push(command);
      return !window.refusesAll && execCommand.call(document, command);
    };
  };

  test("what the clipboard has taken is there, and said to be", async () => {
    await visit();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await hear("Hello **there**.");
    await copy();
    await said().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Hello there.\n\nThe end");
  });

  test("a clipboard that refuses leaves the way of old, which does not scroll the page", async () => {
    await visit(refuse);
    await context.grantPermissions(["clipboard-read"]);
    await page.evaluate(() => (document.body.style.height = "5000px"));
    await hear("Hello **there**.");
    await copy();
    await said().waitFor();
    assert.deepEqual(await page.evaluate(() => [tried, scrollY]), [["clipboard", "copy"], 0]);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "Hello there.\n\nThe end");
    assert.deepEqual(seen.errors, []);
  });

  test("what could not be copied is not said to be", async () => {
    await visit(refuse);
    await page.evaluate(() => (window.refusesAll = true));
    await hear("Hello.");
    await copy();
    await page.waitForFunction(() => tried.length === 2);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    assert.equal(await said().count(), 0);
    assert.equal(await page.locator("[data-bulle] .copied").count(), 0);
    assert.deepEqual(seen.errors, []);
  });
});

test("modules that cannot be fetched when they are wanted are told in the console, and no error is the page's", async () => {
  await visit();
  await page.route("**/a/*.js", (route) => route.abort());
  const lost = () => page.waitForEvent("requestfailed");
  // Syntax highlighting, a reason for a rating, the menu, and the count of unread replies.
  await Promise.all([lost(), hear("```js\nconst answer = 42;\n```")]);
  await Promise.all([lost(), bubble.log.getByRole("button", { name: "Good answer" }).click()]);
  await Promise.all([lost(), bubble.dialog.getByRole("button", { name: "Menu", exact: true }).click()]);
  const [asked, heard] = [gate(), gate()];
  upstream.behave = async (response) => {
    asked.open();
    await heard.opened;
    stream(response, answer(["Here I am"]));
  };
  await bubble.ask("Are you there?");
  await asked.opened;
  await page.keyboard.press("Escape");
  await Promise.all([lost(), heard.open()]);
  await bubble.open();
  await bubble.log.getByText("Here I am").waitFor();
  assert.equal(await bubble.log.getByRole("button", { name: "Good answer" }).first().getAttribute("aria-pressed"), "false");
  assert.ok(seen.errors.some((line) => line.startsWith("[Bulle]")));
  assert.deepEqual(seen.errors.filter((line) => !/^\[Bulle\]|^Failed to load resource/.test(line)), []);
});
