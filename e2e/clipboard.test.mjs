// Copying an answer and its code, read back from the clipboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bubble } from "./support/browser.mjs";
import { answer, stream } from "./support/upstream.mjs";
import { browser, edge, start, upstream } from "./support/start.mjs";

start({ model: true });

const CODE = 'const price = "1.30";\n\tif (price < 2) {\n  buy("a & b");\n}';
const WORDS = ["# Prices\n\nA **baguette** costs `1.30` [1].\n\n", "- one\n- two\n\n", `\`\`\`js\n${CODE}\n\`\`\`\n\n`, "The end."];

test("an answer and its code are copied as they are to be pasted, and what was copied is said", async () => {
  upstream.behave = (response) => stream(response, answer(WORDS));
  const context = await browser.newContext({ locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(`${edge.site}/plain/`);
  const bubble = await new Bubble(page, "en").open();
  await bubble.ask("How much is a baguette?");
  await bubble.log.getByText("The end.").waitFor();
  await bubble.settled();
  const pasted = () => page.evaluate(() => navigator.clipboard.readText());
  const said = bubble.dialog.getByRole("status").filter({ hasText: "Copied" });

  const code = bubble.log.getByRole("button", { name: "Copy the code" });
  await code.click();
  await said.waitFor();
  // Line ends differ between systems.
  assert.equal((await pasted()).replaceAll("\r\n", "\n").trimEnd(), CODE);

  await bubble.log.getByRole("button", { name: "Copy the answer" }).click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes("Prices"));
  const whole = (await pasted()).replaceAll("\r\n", "\n");
  for (const part of ["Prices", "A baguette costs 1.30", "one", "two", CODE, "The end."]) assert.ok(whole.includes(part), `${part} is missing in: ${whole}`);
  assert.doesNotMatch(whole, /\*\*|```|Copy the|\bjs\b/);

  // Pasted into the bubble's own field, as a visitor would do.
  await bubble.input.focus();
  await page.keyboard.press("Control+V");
  assert.match(await bubble.input.inputValue(), /A baguette costs 1\.30/);
});
