// Real Chromium, and the bubble as a person uses it: elements are found by role and name, never by class.
import { chromium } from "playwright-core";
import { createServer } from "node:http";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { ROOT } from "./edge.mjs";
import { listen } from "./listen.mjs";

export const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const OUTPUT = `${ROOT}/e2e/output`;

const OPTIONS = {
  executablePath: process.env.CHROME_PATH,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** The one browser of a run. */
export const startBrowser = () => chromium.launchServer(OPTIONS);

/** Playwright's timeout: far longer than a slow machine needs. */
const DEADLINE_MS = 90_000;

/** A connection to the browser of the run: closing it closes only its own contexts. A bench has a browser of its own. */
export async function launch() {
  const { BULLE_BROWSER: address } = process.env;
  const browser = await (address ? chromium.connect(address) : chromium.launch(OPTIONS));
  const { newContext } = browser;
  browser.newContext = async (options) => {
    const context = await newContext.call(browser, options);
    context.setDefaultTimeout(DEADLINE_MS);
    return context;
  };
  return browser;
}

/** Serves pages by path, on an origin of its own. `pages[path]` is `{html, headers}` or a string. */
export async function servePages(pages) {
  const server = createServer((request, response) => {
    if (request.url === "/favicon.ico") return response.writeHead(204).end();
    const page = pages[new URL(request.url, "http://x").pathname];
    if (page === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...page.headers });
    response.end(page.html ?? page);
  });
  const port = await listen(server);
  return { url: `http://localhost:${port}`, stop: () => server.close() };
}

const NAMES = {
  fr: { open: "Ouvrir la discussion", close: "Fermer la discussion", send: "Envoyer", stop: "Arrêter la réponse", retry: "Réessayer" },
  en: { open: "Open the chat", close: "Close the chat", send: "Send", stop: "Stop the answer", retry: "Try again" },
};

/** The bubble on a page. */
export class Bubble {
  /** On a page that has dialogs of its own, `root` is the bubble's element. */
  constructor(page, locale = "fr", root = page) {
    this.page = page;
    this.names = NAMES[locale];
    this.dialog = root.getByRole("dialog");
    this.launcher = root.getByRole("button", { name: this.names.open });
    this.input = this.dialog.getByRole("textbox");
    this.send = this.dialog.getByRole("button", { name: this.names.send });
    this.stop = this.dialog.getByRole("button", { name: this.names.stop });
    this.retry = this.dialog.getByRole("button", { name: this.names.retry });
    this.log = this.dialog.getByRole("log");
  }

  /** Opens the panel, and waits until the session is open and the animations are over. */
  async open() {
    await this.launcher.click();
    await this.log.waitFor();
    await this.dialog.evaluate((panel) => Promise.all(panel.getAnimations().map((animation) => animation.finished)));
    return this;
  }

  /**
   * After a reload: the panel with its conversation. On a wide window, a panel that was open before opens by itself as
   * soon as the launcher is drawn.
   */
  async reopen() {
    const launcher = this.page.locator("[data-bulle] .launcher");
    await launcher.waitFor({ state: "attached" });
    if ((await launcher.getAttribute("aria-expanded")) !== "true") await launcher.click();
    await this.log.waitFor();
    return this;
  }

  async ask(question) {
    await this.input.fill(question);
    await this.input.press("Enter");
  }

  /** The text of the message list. */
  text() {
    return this.log.innerText();
  }

  /** Waits until the list contains the text, then gives its number of occurrences. */
  async count(needle) {
    await this.log.getByText(needle).first().waitFor();
    return (await this.text()).split(needle).length - 1;
  }

  /** Waits until no answer is being written. */
  async settled() {
    await this.send.waitFor();
  }
}

/**
 * Where the focus is: the role of an element of the bubble, or "page". With an expected answer, waits for it, because the
 * bubble moves the focus after it has drawn.
 */
export async function focused(page, expected) {
  const look = (wanted) => {
    const active = document.activeElement?.shadowRoot?.activeElement;
    const roles = { TEXTAREA: "textbox", BUTTON: "button", SUMMARY: "button", A: "link" };
    const found = active ? (active.getAttribute("role") ?? roles[active.tagName] ?? active.tagName) : "page";
    return wanted ? found === wanted : found;
  };
  // On a timeout, the caller compares with the present focus instead.
  if (expected) await page.waitForFunction(look, expected, { timeout: 20_000 }).catch(() => {});
  return page.evaluate(look, null);
}

/** Runs in a page before its own scripts: makes every write to storage fail as if it were full. */
export function fillStorage() {
  try {
    for (const storage of [localStorage, sessionStorage]) {
      for (let size = 1 << 24; size >= 1; size >>= 1) {
        try {
          storage[`full${size}`] = "x".repeat(size);
        } catch {
          // The first half of the data may fit.
        }
      }
    }
  } catch {
    // A page without storage.
  }
}

/** All errors of the page: exceptions, console errors, CSP reports. */
export function watch(page) {
  const seen = { errors: [], requests: [] };
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("request", (request) => seen.requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  return seen;
}

/** Waits for the end of all finite animations. */
function rest(page) {
  return page.evaluate(() => {
    // A shadow root keeps its own list of animations.
    const roots = [document, ...[...document.documentElement.children].map((child) => child.shadowRoot).filter(Boolean)];
    const finite = roots.flatMap((root) => root.getAnimations()).filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
    return Promise.all(finite.map((animation) => animation.finished.catch(() => {})));
  });
}

/** A screenshot for people to look at, in e2e/output. */
export async function picture(page, name) {
  await rest(page);
  await mkdir(OUTPUT, { recursive: true });
  await page.screenshot({ path: `${OUTPUT}/${name}.png` });
}

/** Violations of WCAG 2.2 A and AA that axe-core finds, one line each. */
export async function violations(page) {
  await rest(page);
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
