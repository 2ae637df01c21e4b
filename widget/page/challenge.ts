/** The check that a visitor is human: Cloudflare Turnstile, fetched only when the edge asks for it. */

interface Turnstile {
  render(place: HTMLElement, options: Record<string, unknown>): void;
}

/**
 * Shows the check in a light-DOM child of the bubble's element, because Turnstile's script does not work in a shadow root:
 * the widget has a slot named `challenge`. `answer` is called with the token, or with nothing if the page's policy, a
 * blocker or the network has refused the script.
 */
export const challenge = async (
  root: ShadowRoot,
  script: string,
  sitekey: string,
  language: string,
  answer: (token?: string) => void,
) => {
  const { host } = root;
  const page = window as { turnstile?: Turnstile };
  const place = document.createElement("div");
  place.slot = "challenge";
  host.append(place);
  try {
    if (!page.turnstile) {
      await new Promise((resolve, reject) => {
        const tag = document.createElement("script");
        tag.onload = resolve;
        tag.onerror = () => reject(script + " could not be loaded: the page's Content-Security-Policy must allow it");
        // This assignment throws where Trusted Types are enforced.
        tag.src = script + "?render=explicit";
        host.append(tag);
      });
    }
    // The slot is drawn with the next frame; by then it may be gone, or drawn again.
    await new Promise(requestAnimationFrame);
    if (!place.isConnected) return;
    page.turnstile?.render(place, {
      sitekey,
      language,
      theme: getComputedStyle(root.querySelector(".panel")!).colorScheme,
      size: place.clientWidth < 300 ? "compact" : "flexible",
      callback: answer,
    });
  } catch (error) {
    console.error("[Bulle]", error);
    answer();
  }
};
