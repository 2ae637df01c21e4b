/**
 * What is said in JavaScript more shortly than in Rust: what the page tells of its visitor, and Cloudflare Turnstile.
 */

/**
 * Takes `identify` over from the loader. `said` is called with what the page says from now on, and what it has said so
 * far is returned: the `sub` of a JWT, nothing when nobody is signed in, and an empty text when it takes asking.
 */
export function identities(bubble, said) {
  const subject = (id) => (typeof id == "function" ? "" : id ? subjectOf(id) : undefined);
  bubble.identify = (id) => said(subject((bubble.id = id)));
  if (!("id" in bubble)) bubble.id = bubble.tag;
  return subject(bubble.id);
}

/** Whom a JWT speaks of. Whether it may is the edge's business: it knows the secret. */
export function subjectOf(jwt) {
  try {
    return JSON.parse(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub + "";
  } catch {
    return "";
  }
}

/** Asks the page for a JWT; `answer` is called with it, with an empty text for nobody, or with nothing when it failed. */
export async function ask({ id }, answer) {
  let jwt;
  try {
    jwt = (await (typeof id == "function" ? id() : id)) || "";
  } catch (error) {
    console.error("[Bulle] identify", error);
  }
  answer(jwt);
}

/**
 * Shows Turnstile, or takes it away when there is no script. It is fetched when the edge asks for it and never before, and stands in a slot: a child of the
 * bubble's element in the page itself, because its script does not find itself in a shadow root. `root` has a slot named
 * `challenge`; `answer` is called with the token, or with nothing when the page's policy, a blocker or the network has
 * refused the script.
 */
export async function challenge(root, script, sitekey, language, answer) {
  const { host } = root;
  host.replaceChildren();
  if (!script) return;
  const place = document.createElement("div");
  place.slot = "challenge";
  host.append(place);
  try {
    if (!window.turnstile) {
      await new Promise((resolve, reject) => {
        const tag = document.createElement("script");
        tag.onload = resolve;
        tag.onerror = () => reject(script + " could not be loaded: the page's Content-Security-Policy must allow it");
        // Throws where Trusted Types are enforced.
        tag.src = script + "?render=explicit";
        host.append(tag);
      });
    }
    // The slot is drawn with the next frame; it may be gone by then, or drawn anew.
    await new Promise(requestAnimationFrame);
    if (!place.isConnected) return;
    turnstile.render(place, {
      sitekey,
      language,
      theme: getComputedStyle(root.querySelector(".panel")).colorScheme,
      size: place.clientWidth < 300 ? "compact" : "flexible",
      callback: answer,
    });
  } catch (error) {
    console.error("[Bulle]", error);
    answer();
  }
}

