// The components for React, Vue and Svelte that the edge fills in, bundled and mounted by the frameworks of e2e/frameworks.
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { before, test } from "node:test";
import { build } from "esbuild";
import { FRAMEWORKS, installFrameworks } from "./support/frameworks.mjs";
import { folder, owner, pages, snippets, start, visit } from "./support/snippets.mjs";

const compilers = createRequire(join(FRAMEWORKS, "package.json"));

before(installFrameworks);
start();

const tags = (page) => page.locator(`script[src*="/s/${owner.site.key}.js"]`).count();

/** Each framework's module around its component, which exports `show()` and `hide()`. */
const harness = {
  React: () => ({
    "app.tsx": `
      import { StrictMode } from "react";
      import { flushSync } from "react-dom";
      import { createRoot } from "react-dom/client";
      import { BulleChat } from "./${snippets.React.file}";
      const root = createRoot(document.getElementById("app"));
      export const show = () => flushSync(() => root.render(<StrictMode><BulleChat /></StrictMode>));
      export const hide = () => flushSync(() => root.render(null));`,
  }),
  Vue: () => {
    const { compileScript, parse } = compilers("vue/compiler-sfc");
    const { descriptor, errors } = parse(snippets.Vue.content, { filename: "BulleChat.vue" });
    assert.deepEqual(errors, []);
    return {
      "BulleChat.js": compileScript(descriptor, { id: "chat", inlineTemplate: true }).content,
      "app.js": `
        import { createApp } from "vue";
        import BulleChat from "./BulleChat.js";
        let app;
        export const show = () => (app = createApp(BulleChat)).mount("#app");
        export const hide = () => app.unmount();`,
    };
  },
  Svelte: () => {
    const { compile } = compilers("svelte/compiler");
    const { js, warnings } = compile(snippets.Svelte.content, { generate: "client", filename: "BulleChat.svelte" });
    assert.deepEqual(warnings, []);
    return {
      "BulleChat.js": js.code,
      "app.js": `
        import { flushSync, mount, unmount } from "svelte";
        import BulleChat from "./BulleChat.js";
        let chat;
        export const show = () => { chat = mount(BulleChat, { target: document.getElementById("app") }); flushSync(); };
        export const hide = () => unmount(chat);`,
    };
  },
};

for (const [name, files] of Object.entries(harness)) {
  test(`the component for ${name} comes and goes, once`, async () => {
    const place = await mkdtemp(join(folder, "app-"));
    const all = { [snippets[name].file]: snippets[name].content, ...files() };
    for (const [file, content] of Object.entries(all)) await writeFile(join(place, file), content);
    const entry = join(place, "app.tsx" in all ? "app.tsx" : "app.js");
    const { outputFiles, warnings } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "iife",
      globalName: "app",
      jsx: "automatic",
      conditions: ["browser", "development"],
      define: { "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" },
      nodePaths: [join(FRAMEWORKS, "node_modules")],
      logLevel: "silent",
    });
    assert.deepEqual(warnings, []);
    pages[`/${name}`] = `<!doctype html><html lang="en"><head><title>App</title></head><body><div id="app"></div><script>${outputFiles[0].text.replaceAll("</script", "<\\/script")}</script></body></html>`;
    const { context, page, seen, bubble } = await visit(`/${name}`);
    const run = (what) => page.evaluate((what) => void window.app[what](), what);
    // Removed before the script has loaded: it must not appear afterwards.
    await run("show");
    assert.equal(await tags(page), 1);
    await run("hide");
    assert.equal(await tags(page), 0);
    await page.waitForLoadState("networkidle");
    assert.equal(await page.locator("[data-bulle]").count(), 0, "nothing came late");

    await run("show");
    await bubble.open();
    assert.equal(await tags(page), 1);
    assert.equal(await page.locator("[data-bulle]").count(), 1);
    // An open panel would open again by itself.
    await bubble.dialog.getByRole("button", { name: bubble.names.close }).click();
    await run("hide");
    assert.equal(await tags(page), 0);
    assert.equal(await page.locator("[data-bulle]").count(), 0, "the bubble goes with the component");
    await run("show");
    await bubble.open();
    assert.equal(await page.locator("[data-bulle]").count(), 1);
    assert.deepEqual(seen.errors, []);
    await context.close();
  });
}
