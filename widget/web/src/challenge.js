/**
 * Cloudflare Turnstile. It is fetched when the edge asks for it and never before, and stands in a slot: a child of the
 * bubble's element in the page itself, because its script does not find itself in a shadow root.
 *
 * - `root`: the bubble's shadow root, which has a slot named `challenge`.
 * - `passed`: called with the token.
 * - `failed`: called when the page's policy, a blocker or the network has refused the script.
 */
export async function show(root, script, sitekey, language, passed, failed) {
  const { host } = root;
  const place = document.createElement("div");
  place.slot = "challenge";
  host.replaceChildren(place);
  try {
    if (!window.turnstile) {
      await new Promise((resolve, reject) => {
        const tag = document.createElement("script");
        tag.onload = resolve;
        tag.onerror = () => reject(script + " could not be loaded. Does the page's Content-Security-Policy allow it?");
        // Throws where Trusted Types are enforced.
        tag.src = script + "?render=explicit";
        host.append(tag);
      });
    }
    // Gone, or drawn anew, in the meantime.
    if (!place.isConnected) return;
    window.turnstile.render(place, {
      sitekey,
      language,
      theme: getComputedStyle(root.querySelector(".panel")).colorScheme,
      size: place.clientWidth < 300 ? "compact" : "flexible",
      callback: passed,
    });
  } catch (error) {
    console.error("[Bulle]", error);
    failed();
  }
}

/** Takes it away. */
export function hide(root) {
  root.host.replaceChildren();
}
