// The plugin for WordPress, in a real one: its settings by the real form, its output for visitors, and its
// uninstallation.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT, startEdge } from "./support/edge.mjs";
import { Bubble, launch, picture, violations, watch } from "./support/browser.mjs";
import { GENEROUS, Owner } from "./support/owner.mjs";
import { missing, startWordPress } from "./support/wordpress.mjs";

const PLUGIN = join(ROOT, "snippet/wordpress/bulle-chat");

/** The messages of a .mo file, by context and text. */
function messages(file) {
  const number = (at) => file.readUInt32LE(at);
  assert.equal(number(0), 0x950412de);
  const text = (table, n) => file.toString("utf8", number(table + 8 * n + 4), number(table + 8 * n + 4) + number(table + 8 * n));
  return Object.fromEntries(Array.from({ length: number(8) }, (_, n) => [text(number(12), n), text(number(16), n)]));
}

/** The same of a .po file. */
function sources(file) {
  const found = {};
  for (const entry of file.split("\n\n")) {
    const field = (name) => {
      const lines = entry.match(new RegExp(`^${name} ((?:".*"\\n?)+)`, "m"))?.[1].trim().split("\n");
      return lines?.map((line) => JSON.parse(line)).join("");
    };
    const context = field("msgctxt");
    found[(context === undefined ? "" : `${context}\u0004`) + field("msgid")] = field("msgstr");
  }
  return found;
}

describe("the plugin's files", () => {
  test("say everything in French too, and nothing else", async () => {
    const languages = join(PLUGIN, "languages");
    const compiled = messages(await readFile(join(languages, "bulle-chat-fr_FR.mo")));
    assert.deepEqual(compiled, sources(await readFile(join(languages, "bulle-chat-fr_FR.po"), "utf8")));
    const files = (await readdir(PLUGIN, { recursive: true })).filter((file) => file.endsWith(".php"));
    const php = (await Promise.all(files.map((file) => readFile(join(PLUGIN, file), "utf8")))).join("\n");
    const used = [...php.matchAll(/_(?:_|e)\( '((?:[^'\\]|\\.)*)', 'bulle-chat' \)/g)].map(([, text]) => text);
    used.push(...["Name", "Description"].map((field) => php.match(new RegExp(`^ \\* ${field === "Name" ? "Plugin Name" : field}: +(.*)$`, "m"))[1]));
    const block = JSON.parse(await readFile(join(PLUGIN, "block/block.json"), "utf8"));
    used.push(`block title\u0004${block.title}`, `block description\u0004${block.description}`, ...block.keywords.map((word) => `block keyword\u0004${word}`));
    assert.deepEqual(Object.keys(compiled).filter(Boolean).sort(), [...new Set(used)].sort());
    for (const [text, french] of Object.entries(compiled)) {
      assert.ok(french.trim(), text);
      assert.equal(french.includes("%s"), text.includes("%s"), text);
    }
  });

  test("agree on their version", async () => {
    const versions = [];
    for (const [file, pattern] of [
      ["bulle-chat.php", /Version: +(\S+)/],
      ["readme.txt", /Stable tag: (\S+)/],
      ["block/block.json", /"version": "([^"]+)"/],
      ["block/editor.asset.php", /'version' +=> '([^']+)'/],
    ]) versions.push((await readFile(join(PLUGIN, file), "utf8")).match(pattern)[1]);
    assert.equal(new Set(versions).size, 1, versions.join(" "));
  });
});

describe("in WordPress", { skip: missing }, () => {
  let wordpress, edge, browser, owner, admin;
  before(async () => {
    browser = await launch();
    wordpress = await startWordPress();
    edge = await startEdge();
    owner = await Owner.with(edge, "shop", { name: "Ada", locale: "en", limits: GENEROUS }, [wordpress.url]);
    await owner.post("/bots/bot/sources", { kind: "text", title: "Hours", text: "The shop is open from nine to five. On Sunday the shop is closed." });
    for (let ready = false; !ready; ) {
      const { items } = await (await owner.fetch("/bots/bot/sources")).json();
      assert.notEqual(items[0].status, "failed", JSON.stringify(items));
      ready = items[0].status === "ready";
      if (!ready) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    admin = await signIn("admin");
  });
  after(async () => {
    await browser?.close();
    await edge?.stop();
    await wordpress?.stop();
  });

  const at = (path) => `${wordpress.url}/${path}`;
  const SETTINGS = "wp-admin/options-general.php?page=bulle-chat";

  /** A browser in which this user has signed in. */
  async function signIn(name) {
    const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    // The form is posted directly: the sign-in page takes the focus back while it loads, and is not under test.
    await page.goto(at("wp-login.php"));
    await context.request.post(at("wp-login.php"), { form: { log: name, pwd: wordpress.password, testcookie: "1" } });
    await page.goto(at("wp-admin/profile.php"));
    await page.getByRole("heading", { name: "Profile", exact: true }).waitFor();
    return page;
  }

  async function guest(path = "") {
    const context = await browser.newContext({ locale: "en-GB" });
    const page = await context.newPage();
    const seen = watch(page);
    await page.goto(at(path));
    return { context, page, seen, bubble: new Bubble(page, "en") };
  }

  /** Fills in the real form and saves it; gives WordPress's messages. */
  async function save(fields) {
    await admin.goto(at(SETTINGS));
    for (const [label, value] of Object.entries(fields)) {
      const field = admin.getByLabel(label, { exact: true });
      if (value === true) await field.check();
      else await field.fill(value);
    }
    // By the keyboard, because WordPress moves its notices, and so the button, while the page loads.
    await admin.getByRole("button", { name: "Save Changes" }).press("Enter");
    // Waits for the notice and not for the address, as WordPress removes the address's parameters at once.
    const told = admin.locator(".settings-error");
    await told.first().waitFor();
    await admin.waitForLoadState();
    return told.allInnerTexts();
  }

  const stored = async () => JSON.parse(await wordpress.php("echo wp_json_encode( get_option( 'bulle_chat' ) );"));
  const tags = (page) => page.locator("script[src*='/s/']");

  test("is activated, and shows nothing before it knows where", async () => {
    await admin.goto(at("wp-admin/plugins.php"));
    await admin.getByRole("link", { name: "Activate Bulle Chat" }).click();
    await admin.getByText("Plugin activated.").waitFor();
    await admin.getByRole("row", { name: /Bulle Chat/ }).getByRole("link", { name: "Settings" }).click();
    await admin.getByText("The chat is not shown yet").waitFor();
    assert.deepEqual(await violationsOfForm(), []);
    const { context, page } = await guest();
    assert.equal(await tags(page).count(), 0);
    await context.close();
  });

  /** axe's violations, without those of WordPress itself. */
  async function violationsOfForm() {
    const all = await violations(admin);
    return all.filter((line) => line.includes("bulle-chat"));
  }

  test("only an administrator gets to the settings, and only by the form", async () => {
    const form = { option_page: "bulle-chat", action: "update", "bulle_chat[edge]": "https://evil.example", "bulle_chat[site]": "evil" };
    const reader = await signIn("reader");
    const refused = await reader.goto(at(SETTINGS));
    assert.equal(refused.status(), 403);
    assert.doesNotMatch(await reader.content(), /Site key/);
    const post = (page, more = {}) => page.request.post(at("wp-admin/options.php"), { form: { ...form, ...more } });
    assert.equal((await post(reader)).status(), 403);
    // The administrator's own browser, made to post by another page: without a nonce, or with another user's.
    await admin.goto(at(SETTINGS));
    assert.equal((await post(admin)).status(), 403);
    assert.equal((await post(admin, { _wpnonce: "0123456789" })).status(), 403);
    const nonce = await admin.locator("input[name=_wpnonce]").getAttribute("value");
    assert.equal((await post(reader, { _wpnonce: nonce })).status(), 403);
    const nobody = await browser.newContext();
    const unknown = await nobody.request.post(at("wp-admin/options.php"), { form: { ...form, _wpnonce: nonce }, maxRedirects: 0 });
    assert.equal(unknown.status(), 302);
    assert.match(unknown.headers().location, /wp-login/);
    assert.equal(await stored(), false);
    await nobody.close();
    await reader.context().close();
  });

  test("takes good values, and says of bad ones what to do", async () => {
    const bad = await save({ "Address of the edge": "https://a b", "Site key": "no key" });
    assert.equal(bad.length, 2, bad.join("\n"));
    assert.match(bad.join("\n"), /enter one that begins with https:\/\/[^]*letters, digits/);
    for (const edge of ["ftp://a.example", "http://chat.example.com", "javascript:alert(1)", "https://user:pass@a.example", "https://\"><script>alert(1)</script>"]) {
      // The browser's own validation of addresses is not the protection.
      const nonce = await admin.locator("input[name=_wpnonce]").getAttribute("value");
      await admin.request.post(at("wp-admin/options.php"), { form: { option_page: "bulle-chat", action: "update", _wpnonce: nonce, "bulle_chat[edge]": edge } });
      assert.equal((await stored()).edge, "", edge);
    }
    const good = await save({ "Address of the edge": `${edge.url}/some/path/`, "Site key": `  ${owner.site.key} ` });
    assert.deepEqual(good.map((text) => text.split("\n")[0]), ["Settings saved."]);
    assert.deepEqual(await stored(), { edge: edge.url, site: owner.site.key, where: "everywhere", tier: "free", secret: "" });
    // A bad value does not replace the good one.
    await save({ "Site key": "<script>" });
    assert.equal((await stored()).site, owner.site.key);
    await picture(admin, "wordpress-settings");
  });

  test("the front page shows the bubble, which answers", async () => {
    const { context, page, seen, bubble } = await guest();
    assert.equal(await tags(page).count(), 1);
    assert.deepEqual(await tags(page).evaluate((tag) => ["data-cfasync", "data-no-optimize", "data-no-defer", "data-noptimize", "nowprocket"].map((name) => tag.getAttribute(name))), ["false", "1", "1", "1", ""]);
    assert.deepEqual(
      await tags(page).evaluate((tag) => [tag.async, tag.src, tag.dataset.identity]),
      [true, `${edge.url}/s/${owner.site.key}.js`, undefined],
    );
    await bubble.open();
    await bubble.ask("When is the shop closed?");
    await bubble.log.getByText("On Sunday the shop is closed.").first().waitFor();
    assert.deepEqual(seen.errors, []);
    await picture(page, "wordpress-front");
    await context.close();
  });

  test("signed-in visitors are known by an identity, whose secret is never printed", async () => {
    const { secret } = await owner.post("/identity-secrets");
    assert.match((await save({ "Identity secret": "short" })).join("\n"), /16 to 200 characters/);
    await save({ "Identity secret": secret, "Tier of signed-in visitors": "premium" });
    assert.equal((await stored()).secret, secret);
    assert.doesNotMatch(await admin.content(), new RegExp(secret));
    await admin.getByText("One is stored and is not shown again").waitFor();
    // Saved again without the field, it stays.
    await save({});
    assert.equal((await stored()).secret, secret);

    const reader = await signIn("reader");
    const seen = watch(reader);
    await reader.goto(at(""));
    const jwt = await tags(reader).getAttribute("data-identity");
    const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
    assert.deepEqual([claims.sub, claims.tier, claims.name, claims.email], ["localhost:1:2", "premium", "Rea \"Der\" O’Neil", "reader@example.com"]);
    const bubble = new Bubble(reader, "en");
    const session = reader.waitForResponse((response) => response.url().endsWith("/v1/sessions"));
    await bubble.open();
    assert.equal((await session).status(), 201, await (await session).text());
    await bubble.ask("When is the shop closed?");
    await bubble.log.getByText("On Sunday the shop is closed.").first().waitFor();
    const { items } = await (await reader.request.get(`${edge.url}/v1/conversations`, { headers: { origin: wordpress.url, authorization: `Bearer ${(await (await session).json()).token}` } })).json();
    assert.equal(items.length, 1);
    assert.deepEqual(seen.errors, []);
    await reader.context().close();
    const visitor = await guest();
    assert.equal(await tags(visitor.page).getAttribute("data-identity"), null);
    await visitor.context.close();
    await save({ "Forget the stored secret": true });
    assert.equal((await stored()).secret, "");
  });

  test("is shown where the owner wants it", async () => {
    const counts = async () => {
      const { context, page } = await guest();
      await admin.goto(at(""));
      const found = [await tags(page).count(), await tags(admin).count()];
      await context.close();
      return found;
    };
    await save({ "On every page, but not to visitors who are signed in": true });
    assert.deepEqual(await counts(), [1, 0]);
    await save({ "Only inside pages, where the shortcode [bulle_chat] or the block stands": true });
    assert.deepEqual(await counts(), [0, 0]);
    await save({ "On every page": true });
    assert.deepEqual(await counts(), [1, 1]);
  });

  test("the shortcode and the block put the chat into a page, instead of the bubble", async () => {
    const page = async (content) => (await wordpress.php(`echo wp_insert_post( array( 'post_title' => 'Ask', 'post_type' => 'page', 'post_status' => 'publish', 'post_content' => '${content}' ) );`)).trim();
    for (const content of ["[bulle_chat]", "<!-- wp:bulle/chat /-->"]) {
      const { context, page: visit } = await guest(`?page_id=${await page(content)}`);
      const chat = visit.locator("bulle-chat");
      assert.equal(await chat.count(), 1, content);
      assert.equal(await chat.getAttribute("site"), owner.site.key);
      assert.deepEqual(await visit.locator("script[type=module]").evaluateAll((all) => all.map(({ src }) => src)), [`${edge.url}/element.js`]);
      assert.equal(await tags(visit).count(), 0);
      await context.close();
    }
  });

  test("inside a page, who the visitor is stands in the page and not in its content", async () => {
    const { secret } = await owner.post("/identity-secrets");
    await save({ "Identity secret": secret });
    const id = (await wordpress.php("echo wp_insert_post( array( 'post_title' => 'Known', 'post_type' => 'page', 'post_status' => 'publish', 'post_content' => '[bulle_chat]' ) );")).trim();
    const reader = await signIn("reader");
    const session = reader.waitForRequest((request) => request.url().endsWith("/v1/sessions"));
    await reader.goto(at(`?page_id=${id}`));
    assert.equal(await reader.locator("bulle-chat").getAttribute("data-identity"), null);
    const { identity } = (await session).postDataJSON();
    assert.equal(JSON.parse(Buffer.from(identity.split(".")[1], "base64url")).sub, "localhost:1:2");
    assert.equal((await (await session).response()).status(), 201);
    const nonce = await reader.evaluate(() => fetch("wp-admin/admin-ajax.php?action=rest-nonce").then((answer) => answer.text()));
    const rest = await reader.request.get(at(`?rest_route=/wp/v2/pages/${id}`), { headers: { "x-wp-nonce": nonce } });
    const { rendered } = (await rest.json()).content;
    assert.match(rendered, /<bulle-chat site="/);
    assert.doesNotMatch(rendered, /eyJ/);
    await reader.context().close();
    // A shortcode that a plugin renders for the page's head is not in the page.
    const head = await wordpress.php(
      `remove_all_actions( 'wp_head' ); add_action( 'wp_head', function () { do_shortcode( '[bulle_chat]' ); } );
       do_action( 'wp_head' ); bulle_chat_tag();`,
    );
    assert.match(head, new RegExp(`/s/${owner.site.key}\\.js`));
    assert.equal(await wordpress.php("global $wp_query; $wp_query->is_feed = true; echo do_shortcode( '[bulle_chat]' );"), "");
    await save({ "Forget the stored secret": true });
  });

  test("the block is there to be put into a page", async () => {
    await admin.goto(at("wp-admin/post-new.php?post_type=page"));
    await admin.waitForFunction(() => window.wp?.blocks?.getBlockType("bulle/chat") && window.wp.data.select("core/editor").getCurrentPostId());
    await admin.evaluate(() => {
      const { blocks, data } = window.wp;
      data.dispatch("core/edit-post").toggleFeature("welcomeGuide");
      data.dispatch("core/block-editor").insertBlocks(blocks.createBlock("bulle/chat"));
    });
    await admin.getByText("The chat of this site, inside the page.").first().waitFor();
    await admin.evaluate(async () => {
      const { dispatch } = window.wp.data;
      dispatch("core/editor").editPost({ title: "By the editor", status: "publish" });
      await dispatch("core/editor").savePost();
    });
    const { context, page } = await guest(`?page_id=${await admin.evaluate(() => window.wp.data.select("core/editor").getCurrentPostId())}`);
    assert.equal(await page.locator("bulle-chat").getAttribute("site"), owner.site.key);
    await context.close();
  });

  test("speaks French where WordPress does", async () => {
    const [title, message] = JSON.parse(
      await wordpress.php(
        `add_filter( 'plugin_locale', function () { return 'fr_FR'; } ); unload_textdomain( 'bulle-chat' ); bulle_chat_languages();
         echo wp_json_encode( array( __( 'Site key', 'bulle-chat' ), _x( 'The chat of this site, inside the page.', 'block description', 'bulle-chat' ) ) );`,
      ),
    );
    assert.deepEqual([title, message], ["Clé du site", "La discussion de ce site, à l’intérieur de la page."]);
  });

  test("nothing was complained about, and nothing is left after it", async () => {
    const log = await readFile(join(wordpress.folder, "wp-content/debug.log"), "utf8").catch(() => "");
    assert.deepEqual(log.split("\n").filter((line) => line.includes("plugins/bulle-chat")), []);
    await admin.goto(at("wp-admin/plugins.php"));
    await admin.getByRole("link", { name: "Deactivate Bulle Chat" }).click();
    await admin.getByText("Plugin deactivated.").waitFor();
    const { context, page } = await guest();
    assert.equal(await tags(page).count(), 0);
    await context.close();
    assert.ok(await stored(), "the settings are kept until it is deleted");
    admin.once("dialog", (dialog) => dialog.accept());
    await admin.getByRole("link", { name: "Delete Bulle Chat" }).click();
    await admin.getByText("was successfully deleted").waitFor();
    const rows = "$wpdb->get_var( \"SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE '%bulle%'\" )";
    assert.equal(await wordpress.php(`global $wpdb; echo ${rows} . ' ' . (int) file_exists( WP_PLUGIN_DIR . '/bulle-chat' );`), "0 0");
  });
});
