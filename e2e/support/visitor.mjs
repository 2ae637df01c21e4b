// A visitor of the bakery, in a language and on a screen, whose edge fails on demand.
//
// What the edge does not do yet is answered here: `STANDS_IN` says what, and a name that is taken out of it goes through
// to the edge.
import { readFileSync } from "node:fs";
import { Bubble, violations, watch } from "./browser.mjs";
import { ROOT } from "./edge.mjs";

const STANDS_IN = ["session", "conversation", "me", "export", "attachments"];

/** The texts of the parts in English. */
export const { panel: PANEL } = JSON.parse(readFileSync(`${ROOT}/edge/core/src/locales/en.json`, "utf8"));

/**
 * - `bot`: fields that the edge's answer to a new session gets.
 * - `rtl`: the bubble speaks Arabic.
 * - `rules`: the site's notes, `{site, rules, dismiss}`; see snippet/src/proactive.ts.
 */
export async function standIns(page, { bot = {}, rtl, rules } = {}) {
  const failures = new Map();
  const held = new Map();
  const titles = new Map();
  const deleted = new Set();
  const side = {
    /** Method and path of every call, in order. */
    calls: [],
    /** What was said in ratings, in the form and in files. */
    feedback: [],
    files: [],
    answers: undefined,
    exported: { visitor: { id: "v" }, conversations: [{ id: "c", title: "Bread", messages: [{ role: "user", text: "Hello é" }] }] },
    /** Paths that begin so are answered with this status, or not at all ("offline"), or as always (undefined). */
    fail: (path, status) => (status ? failures.set(path, status) : failures.delete(path)),
    /** Keeps answers to a path until the function that it returns is called. */
    hold(path) {
      let release;
      held.set(path, new Promise((resolve) => (release = resolve)));
      return release;
    },
  };
  const cors = { "access-control-allow-origin": "*" };
  const problem = (status) => ({
    status,
    headers: cors,
    contentType: "application/problem+json",
    body: JSON.stringify({ type: "about:blank", title: "Refused", status, code: status === 413 ? "body_too_large" : status === 422 ? "invalid_value" : "internal", detail: "Refused." }),
  });
  const json = (status, value) => ({ status, headers: cors, contentType: "application/json", body: JSON.stringify(value) });

  await page.route("**/v1/**", async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const method = request.method();
    side.calls.push(`${method} ${pathname}`);
    for (const [path, until] of held) if (pathname.startsWith(path)) await until;
    const failure = [...failures].find(([path]) => pathname.startsWith(path) || pathname.endsWith(path))?.[1];
    if (failure === "offline") return route.abort();
    if (failure) return route.fulfill(problem(failure));
    const stands = (name, path, ...methods) => STANDS_IN.includes(name) && path.test(pathname) && methods.includes(method);

    if (/\/feedback$/.test(pathname)) side.feedback.push(request.postDataJSON());
    if (stands("session", /^\/v1\/sessions$/, "POST")) {
      const response = await route.fetch();
      if (!response.ok()) return route.fulfill({ response });
      const answer = await response.json();
      return route.fulfill({ response, json: { ...answer, bot: { ...answer.bot, ...(side.answers ? { ...bot, form: undefined } : bot) } } });
    }
    if (stands("conversation", /^\/v1\/conversations$/, "GET")) {
      const response = await route.fetch();
      const { items } = await response.json();
      const left = items.filter(({ id }) => !deleted.has(id)).map((item) => ({ ...item, title: titles.get(item.id) ?? item.title }));
      return route.fulfill({ response, json: { items: left } });
    }
    if (stands("conversation", /^\/v1\/conversations\/\w+$/, "PATCH", "DELETE")) {
      const id = pathname.split("/").at(-1);
      if (method === "DELETE") deleted.add(id);
      else titles.set(id, request.postDataJSON().title);
      return route.fulfill({ status: 204, headers: cors });
    }
    if (stands("export", /^\/v1\/me\/export$/, "GET")) return route.fulfill(json(200, side.exported));
    if (stands("me", /^\/v1\/me$/, "PUT", "DELETE")) {
      if (method === "PUT") side.answers = request.postDataJSON();
      return route.fulfill({ status: 204, headers: cors });
    }
    if (stands("attachments", /^\/v1\/attachments$/, "POST")) {
      const bytes = request.postDataBuffer()?.length ?? 0;
      const file = { id: `01ATTACHMENT${String(side.files.length).padStart(14, "0")}`, name: searchParams.get("name"), bytes };
      side.files.push({ ...file, type: await request.headerValue("content-type") });
      return route.fulfill(json(201, { ...file, characters: 100 }));
    }
    return route.continue();
  });

  if (rtl || rules) {
    await page.route("**/s/*.js", async (route) => {
      const response = await route.fetch();
      let body = await response.text();
      if (rtl) body = body.replace(',"en",', ',"ar",');
      if (rules) body += readFileSync(`${ROOT}/dist/assets/proactive.js`, "utf8").replace("__BULLE_RULES__", JSON.stringify([rules.site, rules.rules, rules.dismiss]));
      const { "content-encoding": _, "content-length": __, ...headers } = response.headers();
      return route.fulfill({ status: 200, headers, body });
    });
  }
  return side;
}

export const QUESTION = "How much is a baguette?";
export const ANSWER = "€1.30";

export const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  // 1280 by 1024 pixels at 400 %.
  zoom: { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
  forced: { viewport: { width: 1280, height: 800 }, forcedColors: "active" },
  rtl: { viewport: { width: 1280, height: 800 }, rtl: true },
};

/** Opens the page, and the panel. `script` runs before the page's own; for the others see `standIns`. */
export async function visit(browser, edge, { bot, rtl, rules, script, open = true, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const seen = watch(page);
  if (script) await page.addInitScript(script);
  const edgeSide = await standIns(page, { bot, rtl, rules });
  await page.goto(`${edge.site}/plain/`);
  const bubble = new Bubble(page, "en");
  if (open) {
    await bubble.launcher.click();
    await bubble.log.waitFor();
    await bubble.dialog.evaluate((panel) => Promise.all(panel.getAnimations().map((animation) => animation.finished)));
  }
  const button = (name, more) => bubble.dialog.getByRole("button", { name, ...more });
  return { page, context, seen, bubble, edgeSide, button };
}

export async function talk({ bubble }, question = QUESTION, answer = ANSWER) {
  await bubble.ask(question);
  await bubble.log.getByText(answer).first().waitFor();
  // By what it does: its name is Arabic on some pages.
  await bubble.dialog.locator("[data-do=send]").waitFor();
}

/** After a reload: the panel of a large window is open again. */
export async function back({ bubble }) {
  await bubble.input.waitFor({ timeout: 10_000 }).catch(() => bubble.open());
}

/** How many modules were fetched. */
export const modules = (seen) => seen.requests.filter((line) => /^GET \/a\/.*\.js$/.test(line)).length;

/** The bubble's violations: the page around it knows no dark scheme. */
export async function faults(page) {
  const lines = (await violations(page)).map((line) => line.split(/(?<=:) |, (?=div|p:)/));
  return lines.filter((parts) => parts.some((part) => part.startsWith("div["))).map((parts) => parts.join(" "));
}

export const isFocused = (locator) => locator.evaluate((node) => node.getRootNode().activeElement === node);

/** The name of what has the focus in the bubble. */
export const inFocus = (page) =>
  page.evaluate(() => {
    const active = document.activeElement?.shadowRoot?.activeElement;
    return active?.getAttribute("aria-label") ?? active?.textContent ?? "";
  });
