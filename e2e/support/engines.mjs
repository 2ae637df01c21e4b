// The three browser engines, with the same verbs: Chromium and Firefox by playwright, WebKitGTK by webdriver.mjs. What is not
// installed says why (xtask/src/browser.rs).
import { firefox } from "playwright-core";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { Bubble, launch, picture } from "./browser.mjs";
import { until } from "./wait.mjs";
import { openContext, startScreen } from "./webdriver.mjs";

const { FIREFOX_PATH, FIREFOX_MISSING, WEBKIT_DRIVER_PATH, WEBKIT_PATH, WEBKIT_MISSING } = process.env;

const OPTIONS = { locale: "en-GB", viewport: { width: 1280, height: 800 } };

/** Long for any machine, as in browser.mjs. */
const DEADLINE_MS = 90_000;

/** What the one file in a folder of downloads says, once it is there as a whole. */
async function downloaded(folder) {
  const whole = async () => {
    const names = await readdir(folder);
    return names.length === 1 && !/part|download$/.test(names[0]) && (await readFile(join(folder, names[0]), "utf8"));
  };
  return until("the file is downloaded", whole);
}

async function startChromium() {
  const browser = await launch();
  return {
    version: browser.version(),
    open: ({ dark }) => browser.newContext({ ...OPTIONS, colorScheme: dark ? "dark" : "light" }),
    async download({ page }, act) {
      const [file] = await Promise.all([page.waitForEvent("download"), act()]);
      return text(await file.createReadStream());
    },
    stop: () => browser.close(),
  };
}

async function startFirefox() {
  const downloads = await mkdtemp(join(tmpdir(), "bulle-firefox-"));
  // Over WebDriver BiDi, playwright can neither choose the scheme of a context nor tell of its downloads.
  const start = (dark) =>
    firefox.launch({
      channel: "moz-firefox",
      executablePath: FIREFOX_PATH,
      downloadsPath: downloads,
      firefoxUserPrefs: { "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1 },
    });
  const light = await start(false);
  let dark;
  return {
    version: light.version(),
    async open(options) {
      const browser = options.dark ? await (dark ??= start(true)) : light;
      const context = await browser.newContext({ ...OPTIONS, colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null });
      context.setDefaultTimeout(DEADLINE_MS);
      return context;
    },
    async download(_, act) {
      await act();
      return downloaded(downloads);
    },
    async stop() {
      for (const browser of [light, await dark]) await browser?.close();
      await rm(downloads, { recursive: true, force: true });
    },
  };
}

async function startWebKit() {
  const screen = await startScreen();
  return {
    open: ({ dark }) => openContext({ driver: WEBKIT_DRIVER_PATH, browser: WEBKIT_PATH, display: screen.display, dark }),
    async download({ context }, act) {
      await act();
      return downloaded(context.downloads);
    },
    stop: screen.stop,
  };
}

const UNKNOWN = "`cargo xtask test --part engines` finds or installs it";

export const ENGINES = [
  { name: "chromium", start: startChromium },
  { name: "firefox", start: startFirefox, missing: FIREFOX_PATH ? undefined : (FIREFOX_MISSING ?? UNKNOWN) },
  { name: "webkit", start: startWebKit, missing: WEBKIT_PATH ? undefined : (WEBKIT_MISSING ?? UNKNOWN) },
];

/** Runs in the page: keeps what goes wrong from now on. */
function observe() {
  const faults = (window.faults = []);
  addEventListener("error", (event) => faults.push(event.message));
  addEventListener("unhandledrejection", (event) => faults.push(String(event.reason)));
  document.addEventListener("securitypolicyviolation", (event) => faults.push(`${event.effectiveDirective} ${event.blockedURI}`));
  const { error } = console;
  console.error = (...words) => (faults.push(words.join(" ")), error.apply(console, words));
}

/**
 * For a suite of tests of one engine, which starts with the first page and ends with the suite: returns the function that opens
 * a page in a context of its own, which ends with the test.
 */
export function opener(engine) {
  let started;
  after(async () => (await started)?.stop());
  return async (t, url, { dark = false, root } = {}) => {
    const browser = await (started ??= engine.start());
    const context = await browser.open({ dark });
    t.after(() => context.close());
    const tab = async () => {
      const page = await context.newPage();
      await page.goto(url);
      await page.evaluate(observe);
      return { page, bubble: new Bubble(page, "en", root && page.locator(root)) };
    };
    const { page, bubble } = await tab();
    const button = (name) => bubble.dialog.getByRole("button", { name, exact: true });
    const frame = page.frameLocator("[data-bulle] iframe");
    const shot = (name) => picture(page, `engines-${engine.name}-${name}`);
    const faults = () => page.evaluate(() => window.faults);
    return { browser, context, page, bubble, button, frame, tab, shot, faults };
  };
}
