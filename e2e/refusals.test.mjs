// Refusals of the edge as a visitor sees them: an explanation, what to do next, and no typed text lost. The test
// answers with the problems in place of the edge, so that each can be shown. Known visitors and the check for humans
// are here, too, because both decide whether a session is opened.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { ROOT } from "./support/edge.mjs";
import { Bubble, picture, violations, watch } from "./support/browser.mjs";
import { browser, edge, pages, site, start } from "./support/start.mjs";
import { until } from "./support/wait.mjs";

const STATUS = {
  rate_limited: 429, quota_exceeded: 429, paused: 403, origin_not_allowed: 403, unknown_site: 404, identity_required: 403,
  identity_invalid: 401, identity_expired: 401, challenge_required: 403, challenge_failed: 403,
};
const WORDS = { origin_not_allowed: "not_here", unknown_site: "not_here", challenge_required: "challenge" };
const ACTION = { label: "Upgrade", url: "https://example.com/upgrade?from=chat" };
const SITEKEY = { label: "1x00000000000000000000AA", url: "https://challenges.cloudflare.com/turnstile/v0/api.js" };
const DETAIL = "for the owner: what to do";
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  narrow: { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  zoom: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  rtl: { viewport: { width: 1280, height: 800 } },
};

const strings = {};
for (const locale of ["en", "fr"]) {
  strings[locale] = JSON.parse(await readFile(`${ROOT}/protocol/locales/${locale}.json`, "utf8")).bubble;
}

start();

async function visit(locale, view = "desktop", path = "/plain/") {
  const context = await browser.newContext({ ...VIEWS[view], locale: locale === "fr" ? "fr-FR" : "en-GB" });
  const page = await context.newPage();
  const seen = watch(page);
  if (view === "rtl") {
    await page.route("**/s/*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/,"(fr|en)",/, ',"ar",').replace('{"accent"', '{"dir":"rtl","accent"') });
    });
  }
  await page.goto(path.startsWith("/") ? edge.site + path : path);
  return { context, page, seen, bubble: new Bubble(page, locale) };
}

/** Answers calls with a problem, that many `times`. */
async function refuse(page, pattern, code, { locale = "en", times = Infinity, ...more } = {}) {
  let left = times;
  const asked = [];
  await page.route(pattern, async (route) => {
    asked.push(route.request().postDataJSON());
    if ((left -= 1) < 0) return route.fallback();
    const time = more.retry_after > 120 ? "3 h 20 min" : `${more.retry_after} s`;
    const message = strings[locale][WORDS[code] ?? code].replace("{time}", time);
    const problem = { type: `urn:bulle:problem:${code}`, title: code, status: STATUS[code], detail: DETAIL, code, message, ...more };
    await route.fulfill({
      status: STATUS[code],
      headers: { "access-control-allow-origin": "*", "content-type": "application/problem+json" },
      body: JSON.stringify(problem),
    });
  });
  return asked;
}

/** A link to another page. Where the conversation could be lost, it opens a new window, and says so. */
async function hasLink(bubble, locale) {
  const name = locale ? `${ACTION.label} (${strings[locale].new_window})` : ACTION.label;
  const link = bubble.dialog.getByRole("link", { name, exact: true });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), ACTION.url);
  assert.equal(await link.getAttribute("target"), locale ? "_blank" : null);
  assert.match(await link.getAttribute("rel"), /\bnoopener\b/);
}

/** Waits until the panel's animations are over. */
const stands = (bubble) =>
  bubble.dialog.evaluate((panel) => Promise.all(panel.getAnimations().map((animation) => animation.finished)));

for (const locale of ["en", "fr"]) {
  describe(`no session is opened: ${locale}`, () => {
    for (const [code, retries] of [
      ["paused", true],
      ["origin_not_allowed", false],
      ["unknown_site", false],
      ["identity_required", false],
      ["identity_invalid", false],
      ["identity_expired", false],
    ]) {
      test(code, async () => {
        const { page, seen, bubble } = await visit(locale);
        await refuse(page, "**/v1/sessions", code, { locale, times: 1, action: ACTION });
        await bubble.launcher.click();
        await bubble.dialog.getByText(strings[locale][WORDS[code] ?? code]).first().waitFor();
        await hasLink(bubble);
        await stands(bubble);
        assert.equal(await bubble.retry.count(), retries ? 1 : 0);
        assert.ok(seen.errors.includes(`[Bulle] ${DETAIL}`), seen.errors.join("\n"));
        assert.equal(await bubble.input.isVisible(), false);
        assert.deepEqual(await violations(page), []);
        await picture(page, `refused-${code}-${locale}`);
        if (!retries) return;
        await bubble.retry.click();
        await bubble.input.waitFor();
        assert.deepEqual(await violations(page), []);
      });
    }

    test("rate_limited goes on by itself", async () => {
      const { page, bubble } = await visit(locale);
      await refuse(page, "**/v1/sessions", "rate_limited", { locale, times: 1, retry_after: 5 });
      await bubble.launcher.click();
      await bubble.dialog.getByText(/\b[1-5] s\b/).first().waitFor();
      assert.equal(await bubble.retry.count(), 0);
      await picture(page, `refused-rate_limited-${locale}`);
      await bubble.input.waitFor();
    });

    test("quota_exceeded says when, and offers more", async () => {
      const { page, bubble } = await visit(locale);
      await refuse(page, "**/v1/sessions", "quota_exceeded", { locale, retry_after: 12_000, action: ACTION });
      await bubble.launcher.click();
      await bubble.dialog.getByText("3 h 20 min").first().waitFor();
      await hasLink(bubble);
      assert.equal(await bubble.retry.count(), 0);
      assert.deepEqual(await violations(page), []);
    });
  });

  describe(`a message is refused: ${locale}`, () => {
    for (const [code, more] of [
      ["quota_exceeded", { retry_after: 12_000 }],
      ["paused", {}],
      ["identity_required", {}],
      ["identity_invalid", {}],
      ["identity_expired", {}],
      ["challenge_required", { action: SITEKEY }],
    ]) {
      for (const pattern of ["**/messages", "**/v1/conversations"]) {
        test(`${code} by ${pattern}`, async () => {
          const { page, bubble } = await visit(locale);
          await bubble.open();
          await refuse(page, pattern, code, { locale, action: ACTION, ...more });
          await bubble.ask("Do you deliver?");
          const words = strings[locale][WORDS[code] ?? code].replace("{time}", "3 h 20 min");
          await bubble.log.getByText(words).waitFor();
          await bubble.log.getByText(strings[locale].not_sent).waitFor();
          if (!more.action) await hasLink(bubble, locale);
          assert.equal(await bubble.count("Do you deliver?"), 1);
          // For a wait of hours there is no retry button.
          assert.equal(await bubble.retry.count(), code === "quota_exceeded" ? 0 : 1);
          // The composer still works.
          await bubble.input.fill("a draft");
          assert.equal(await bubble.input.inputValue(), "a draft");
          assert.deepEqual(await violations(page), []);
          await picture(page, `message-${code}-${locale}`);
          await page.unroute(pattern);
          if (code === "quota_exceeded") {
            // Leaving the page loses nothing, either.
            await page.reload();
            await bubble.reopen();
          } else {
            await bubble.retry.click();
          }
          await bubble.log.getByText("cargo bike").first().waitFor();
          assert.equal(await bubble.count("Do you deliver?"), 1);
        });
      }
    }

    test("rate_limited counts down in the owner's words, and goes by itself", async () => {
      const { page, bubble } = await visit(locale);
      await bubble.open();
      const message = "Chi va piano va sano: 6 s.";
      await refuse(page, "**/messages", "rate_limited", { locale, times: 1, retry_after: 6, message, action: ACTION });
      await bubble.ask("Do you deliver?");
      await bubble.log.getByText(/va sano: [1-6] s\./).waitFor();
      await hasLink(bubble, locale);
      await bubble.log.getByText(/va sano: [1-4] s\./).waitFor();
      await bubble.log.getByText(strings[locale].waiting).waitFor();
      await picture(page, `message-rate_limited-${locale}`);
      await bubble.log.getByText("cargo bike").first().waitFor();
      assert.equal(await bubble.count("Do you deliver?"), 1);
    });

    test("few messages that are left are told, in a small line", async () => {
      const { page, bubble } = await visit(locale);
      await bubble.open();
      let day = 4;
      await page.route("**/messages", async (route) => {
        if (route.request().method() !== "POST") return route.fallback();
        const response = await route.fetch();
        const body = (await response.text()).replace(/"remaining":\{[^}]*\}/, `"remaining":{"day":${day}}`);
        await route.fulfill({ response, body });
      });
      const line = (n) => bubble.dialog.getByText(strings[locale].left_today.replace("{n}", n), { exact: true });
      await bubble.ask("Do you deliver?");
      await bubble.log.getByText("cargo bike").first().waitFor();
      await bubble.settled();
      assert.equal(await line(4).count(), 0);
      day = 2;
      await bubble.ask("How much is a baguette?");
      await line(2).waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `left-today-${locale}`);
    });
  });
}

test("an action leads to the web or nowhere", async () => {
  const { page, bubble } = await visit("en");
  await bubble.open();
  const action = { label: "Upgrade", url: "javascript:alert(1)" };
  await refuse(page, "**/messages", "paused", { action });
  await bubble.ask("Do you deliver?");
  await bubble.log.getByText(strings.en.paused).waitFor();
  assert.equal(await bubble.dialog.getByText("Upgrade").count(), 0);
});

/** A stand-in for Cloudflare's script: a check that is passed by a click. */
const TURNSTILE = `window.turnstile = { render(place, options) {
  window.turnstileOptions = { ...options, callback: undefined, inPage: document.contains(place) };
  const box = document.createElement("button");
  box.textContent = "☐ Verify you are human";
  box.style.cssText = "width:" + (options.size === "compact" ? "150px;height:140px" : "100%;height:65px") + ";background:" +
    (options.theme === "dark" ? "#232323;color:#fff" : "#fafafa;color:#000") + ";border:1px solid #999";
  box.onclick = () => options.callback("token-" + (window.turnstileCount = (window.turnstileCount ?? 0) + 1));
  place.append(box);
} };`;

async function withTurnstile(page, locale, { script = TURNSTILE } = {}) {
  const asked = [];
  await page.route(`${SITEKEY.url}**`, (route) => {
    asked.push(route.request().url());
    return script ? route.fulfill({ contentType: "text/javascript", body: script }) : route.abort();
  });
  return asked;
}

for (const locale of ["en", "fr"]) {
  test(`a check for humans stands before the first session, and again when it failed: ${locale}`, async () => {
    const { page, bubble } = await visit(locale);
    const scripts = await withTurnstile(page, locale);
    await page.route("**/v1/sessions", async (route) => {
      const body = { ...route.request().postDataJSON(), challenge: undefined };
      await route.continue({ postData: JSON.stringify(body) });
    });
    await refuse(page, "**/v1/sessions", "challenge_failed", { locale, times: 1 });
    const asked = await refuse(page, "**/v1/sessions", "challenge_required", { locale, times: 1, action: SITEKEY });
    assert.deepEqual(scripts, []);
    await bubble.launcher.click();
    await bubble.dialog.getByText(strings[locale].challenge).first().waitFor();
    const box = page.getByRole("button", { name: "Verify you are human" });
    await box.waitFor();
    await stands(bubble);
    const options = await page.evaluate(() => window.turnstileOptions);
    assert.deepEqual([options.sitekey, options.theme, options.inPage], [SITEKEY.label, "light", true]);
    assert.deepEqual(scripts, [`${SITEKEY.url}?render=explicit`]);
    assert.deepEqual(await violations(page), []);
    // The challenge is inside the panel.
    const [inner, outer] = [await box.boundingBox(), await bubble.dialog.boundingBox()];
    assert.ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width && inner.y > outer.y);
    await picture(page, `challenge-${locale}`);
    await box.click();
    await bubble.dialog.getByText(strings[locale].challenge_failed).first().waitFor();
    await box.waitFor();
    assert.equal((await box.boundingBox()).height, 65);
    await picture(page, `challenge-failed-${locale}`);
    await box.click();
    await bubble.input.waitFor();
    assert.equal(await box.count(), 0);
    assert.deepEqual(asked.map(({ challenge }) => challenge), [undefined, "token-1", "token-2"]);
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
  });
}

test("a check whose module does not come is a button to try again, and no error of the page", async () => {
  const { page, bubble } = await visit("en");
  const uncaught = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  await withTurnstile(page, "en");
  await refuse(page, "**/v1/sessions", "challenge_required", { locale: "en", times: 1, action: SITEKEY });
  await bubble.launcher.hover();
  await page.waitForFunction(() => document.querySelector("[data-bulle]").shadowRoot.querySelector(".avatar"));
  await page.route("**/a/*.js", (route) => route.abort());
  await bubble.launcher.click();
  await bubble.retry.waitFor();
  assert.deepEqual(uncaught, []);
  await bubble.retry.click();
  await bubble.input.waitFor();
});

describe("looks of a notice, a refused message and a check", () => {
  for (const view of Object.keys(VIEWS)) {
    test(view, async () => {
      const locale = "fr";
      const { page, bubble } = await visit(locale, view, view === "narrow" ? "/plain/" : "/digital-twin/");
      await refuse(page, "**/v1/sessions", "paused", { locale, times: 1, action: ACTION });
      await bubble.launcher.click();
      await bubble.dialog.getByText(strings[locale].paused).first().waitFor();
      await stands(bubble);
      assert.deepEqual(await violations(page), []);
      await picture(page, `look-notice-${view}`);

      await withTurnstile(page, locale);
      await refuse(page, "**/v1/sessions", "challenge_required", { locale, times: 1, action: SITEKEY });
      await bubble.retry.click();
      const box = page.getByRole("button", { name: "Verify you are human" });
      await box.waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `look-challenge-${view}`);
      if (view === "phone") {
        // The challenge can be reached by the keyboard, although it is outside of the panel's tree.
        let reached = false;
        for (let i = 0; i < 8 && !reached; i += 1) {
          await page.keyboard.press("Tab");
          reached = await box.evaluate((node) => document.activeElement === node);
        }
        assert.ok(reached);
      }
      await page.route("**/v1/sessions", (route) =>
        route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), challenge: undefined }) }),
      );
      await box.click();
      await bubble.input.waitFor();

      await refuse(page, "**/messages", "quota_exceeded", { locale, retry_after: 12_000, action: ACTION });
      await bubble.ask("Livrez-vous aussi le dimanche, avant neuf heures, à deux rues de la boutique ?");
      await bubble.log.getByText("3 h 20 min").waitFor();
      assert.deepEqual(await violations(page), []);
      await picture(page, `look-quota-${view}`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    });
  }
});

describe("the site's own page", () => {
  const tag = (more = "") => `<script async src="${edge.url}/s/plain-demo.js"${more}></script>`;
  const html = (content) => `<!doctype html><html lang="en"><title>Host</title><body><main><h1>Host</h1></main>${content}`;
  const jwt = (sub) => `e30.${btoa(JSON.stringify({ sub })).replace(/=+$/, "")}.c2ln`;

  test("a policy without Turnstile is told to the owner; the visitor has a button", async () => {
    const policies = [
      ["trusted types", { "content-security-policy": "require-trusted-types-for 'script'" }],
      ["no source", { "content-security-policy": `script-src ${edge.url} 'wasm-unsafe-eval'` }],
    ];
    for (const [name, headers] of policies) {
      pages["/"] = { html: html(tag()), headers };
      const { page, bubble, seen } = await visit("en", "desktop", `${site.url}/`);
      await refuse(page, "**/v1/sessions", "challenge_required", { action: SITEKEY });
      await bubble.launcher.click();
      await bubble.dialog.getByText(strings.en.unavailable).first().waitFor();
      await bubble.retry.waitFor();
      assert.ok(seen.errors.some((line) => line.startsWith("[Bulle]")), `${name}: ${seen.errors.join("\n")}`);
      await page.close();
    }
  });

  /** The requests for sessions. The test answers them, because the real edge would refuse these identities. */
  async function sessions(page) {
    const asked = [];
    await page.route("**/v1/sessions", (route) => {
      const { identity, ...body } = route.request().postDataJSON();
      asked.push({ identity, resume: Boolean(body.resume) });
      return route.continue({ postData: JSON.stringify(body) });
    });
    return asked;
  }
  const kept = (page) => page.evaluate(() => Object.keys(localStorage).concat(Object.keys(sessionStorage)).sort());

  test("a known visitor leaves nothing behind, and signs out on the spot", async () => {
    pages["/"] = html(tag(` data-identity="${jwt("ada")}"`));
    const { page, bubble } = await visit("en", "desktop", `${site.url}/`);
    const asked = await sessions(page);
    await bubble.open();
    assert.deepEqual(asked, [{ identity: jwt("ada"), resume: false }]);
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    assert.deepEqual(await kept(page), ["bulle-open:plain-demo"]);
    await bubble.input.fill("a secret");

    // The same visitor with a new token continues.
    const fresh = `${jwt("ada")}2`;
    const renewed = page.waitForResponse("**/v1/sessions");
    await page.evaluate((fresh) => window.Bulle["plain-demo"].identify(fresh), fresh);
    await (await renewed).finished();
    // Two frames later, every change on the screen has been drawn.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    assert.deepEqual(asked.at(-1), { identity: fresh, resume: true });
    assert.equal(await bubble.count("Do you deliver?"), 1);
    assert.equal(await bubble.input.inputValue(), "a secret");

    // Another visitor does not.
    await page.evaluate((bob) => window.Bulle["plain-demo"].identify(async () => bob), jwt("bob"));
    await bubble.log.getByText("Do you deliver?").waitFor({ state: "hidden" });
    await bubble.input.waitFor();
    assert.equal(await bubble.input.inputValue(), "");
    assert.deepEqual(asked.at(-1), { identity: jwt("bob"), resume: false });
    await bubble.ask("How much is a baguette?");
    await bubble.log.getByText("€1.30").first().waitFor();

    await page.evaluate(() => window.Bulle["plain-demo"].identify());
    await bubble.log.getByText("€1.30").waitFor({ state: "hidden" });
    await bubble.input.waitFor();
    assert.deepEqual(asked.at(-1), { identity: undefined, resume: false });
    assert.deepEqual(await kept(page), ["bulle-open:plain-demo"]);
  });

  test("an anonymous conversation rests while its visitor is known", async () => {
    pages["/"] = html(tag());
    const { page, bubble } = await visit("en", "desktop", `${site.url}/`);
    const asked = await sessions(page);
    await bubble.open();
    await bubble.ask("Do you deliver?");
    await bubble.log.getByText("cargo bike").first().waitFor();
    await bubble.settled();
    const before = await page.evaluate(() => localStorage["bulle:plain-demo"]);
    await page.evaluate((ada) => window.Bulle["plain-demo"].identify(ada), jwt("ada"));
    await bubble.log.getByText("Do you deliver?").waitFor({ state: "hidden" });
    await bubble.input.waitFor();
    assert.deepEqual(asked.at(-1), { identity: jwt("ada"), resume: false });
    await bubble.ask("How much is a baguette?");
    await bubble.log.getByText("€1.30").first().waitFor();
    assert.equal(await page.evaluate(() => localStorage["bulle:plain-demo"]), before);
    await page.evaluate(() => window.Bulle["plain-demo"].identify(null));
    await bubble.log.getByText("cargo bike").first().waitFor();
    assert.equal(await bubble.log.getByText("€1.30").count(), 0);
    assert.deepEqual(asked.at(-1), { identity: undefined, resume: true });
  });

  test("identities come from the tag's onload, from a function, and from a tag that runs again", async () => {
    const asks = `window.asked = 0; const fresh = () => (asked += 1, ${JSON.stringify(jwt("ada"))});`;
    const loaded = ` onload='Bulle["plain-demo"].identify(() => Promise.resolve(fresh()))'`;
    pages["/"] = html(`<script>${asks}</script>${tag(loaded)}`);
    const { page, bubble, seen } = await visit("en", "desktop", `${site.url}/`);
    const asked = await sessions(page);
    await bubble.launcher.waitFor();
    assert.equal(await page.evaluate(() => window.asked), 0, "not before the panel is opened");
    await bubble.open();
    assert.deepEqual(asked, [{ identity: jwt("ada"), resume: false }]);
    const again = (identity) =>
      page.evaluate(([src, identity]) => {
        const script = Object.assign(document.createElement("script"), { src });
        if (identity) script.dataset.identity = identity;
        document.body.append(script);
        return new Promise((resolve) => (script.onload = () => setTimeout(resolve, 300)));
      }, [`${edge.url}/s/plain-demo.js`, identity]);
    await again();
    assert.equal(asked.length, 1, "what a script has said stays");
    await again(jwt("bob"));
    await until("it is asked for", () => asked.length === 2);
    assert.deepEqual(asked.at(-1), { identity: jwt("bob"), resume: false });
    await again();
    assert.deepEqual(asked.at(-1), { identity: undefined, resume: false });

    // A function without an identity, and a function that fails.
    await page.evaluate(() => window.Bulle["plain-demo"].identify(() => null));
    await bubble.input.waitFor();
    await page.evaluate(() => window.Bulle["plain-demo"].identify(() => Promise.reject(new Error("no network"))));
    await bubble.dialog.getByText(strings.en.unavailable).first().waitFor();
    assert.ok(seen.errors.some((line) => line.includes("[Bulle] identify")), seen.errors.join("\n"));
  });
});
