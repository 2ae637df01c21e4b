// The templates that the edge fills in for owners' sites, run unchanged. Those for frameworks are in
// frameworks.test.mjs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { transform } from "esbuild";
import { ROOT } from "./support/edge.mjs";
import { Owner } from "./support/owner.mjs";
import { edge, folder, owner, pages, snippets, start, visit } from "./support/snippets.mjs";

start();

describe("over the owner's API", () => {
  test("every template names this site and this edge, and has a file to go into", () => {
    assert.deepEqual(Object.keys(snippets), ["HTML", "React", "Vue", "Svelte", "Leptos", "Astro", "WordPress"]);
    for (const { file, language, content } of Object.values(snippets)) {
      assert.match(file, /^\w+\.\w+$/);
      assert.ok(language.length > 1);
      assert.equal(content.split(owner.site.key).length, 2, file);
      assert.equal(content.split(edge.url).length, 2, file);
    }
  });

  test("only for those who may read sites, and only for sites that there are", async () => {
    const path = `/sites/${owner.site.key}/snippets`;
    const key = async (scope) => (await owner.post("/keys", { name: scope, scopes: [scope] })).key;
    assert.equal((await owner.fetch(path, { key: await key("sites:read") })).status, 200);
    assert.equal((await owner.fetch(path, { key: await key("bots:read") })).status, 403);
    assert.equal((await owner.fetch(path, { key: null })).status, 401);
    assert.equal((await owner.fetch("/sites/nothing/snippets")).status, 404);
    const other = await Owner.with(edge, "other");
    assert.equal((await other.fetch(path)).status, 404);
  });
});

test("the tag of plain HTML opens the bubble", async () => {
  pages["/html"] = `<!doctype html><html lang="en"><head><title>Shop</title></head><body><h1>Shop</h1>${snippets.HTML.content}</body></html>`;
  const { context, seen, bubble } = await visit("/html");
  await bubble.open();
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("the example page opens the bubble, also by its own button", async () => {
  const example = await readFile(join(ROOT, "snippet/generic.html"), "utf8");
  pages["/generic"] = example.replaceAll("https://EDGE", edge.url).replaceAll("SITE_KEY", owner.site.key);
  const { context, page, seen, bubble } = await visit("/generic");
  await bubble.launcher.waitFor();
  await page.getByRole("button", { name: "Ask us" }).click();
  await bubble.input.waitFor();
  assert.deepEqual(seen.errors, []);
  await context.close();
});

test("the others are what their languages allow", async () => {
  // TypeScript checks the component beside React's own types.
  await transform(snippets.React.content, { loader: "tsx" });
  const rust = join(folder, snippets.Leptos.file);
  await writeFile(rust, snippets.Leptos.content);
  execFileSync("rustfmt", ["--check", "--edition", "2024", rust]);
  const [, script, markup] = snippets.Astro.content.split("---\n");
  await transform(script, { loader: "ts" });
  assert.equal(markup.trim(), "<script is:inline async src={`${edge}/s/${site}.js`}></script>");
});
