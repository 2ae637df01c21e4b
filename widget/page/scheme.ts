/** The colour scheme `auto`: that of the page, which may be light only, whatever the visitor's system prefers. */

import type { Shell } from "./shell";

/**
 * Makes `look.scheme` the scheme to draw. Where it is `auto`, a page with a background of its own is as light or as dark as
 * that; any other page is as its `color-scheme` says, or else light. The page is looked at whenever the bubble is drawn or
 * opened: many pages have a switch.
 */
export const followPage = ({ look, signal }: Shell, paint: Shell["paint"]): void => {
  let wanted: string = look.scheme;
  Object.defineProperty(look, "scheme", {
    get: () => (wanted == "auto" ? pageScheme() : wanted),
    set(scheme) {
      wanted = scheme;
    },
  });
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", () => paint({}), { signal });
  paint({});
};

/** `light`, `dark`, or `auto` for a page that follows the system. */
const pageScheme = () => {
  const { body, documentElement } = document;
  for (const node of [body, documentElement]) {
    const colour = getComputedStyle(node).backgroundColor;
    // `rgb(255, 255, 255)`, `oklch(0.98 0.01 90)`, `color(srgb 1 1 1)`: three numbers, and the opacity if it is not 1.
    const [red = 0, green = 0, blue = 0, opacity = 1] = (colour.match(/(?<=[ (,])[\d.e-]+/g) ?? []).map(Number);
    const isLight = colour[0] == "r" ? red * 3 + green * 6 + blue > 1275 : red > (red > 1 ? 50 : 0.5);
    if (opacity > 0.5) return isLight ? "light" : "dark";
  }
  const declared = getComputedStyle(documentElement).colorScheme + document.querySelector<HTMLMetaElement>("meta[name=color-scheme]")?.content;
  return !/dark/.test(declared) ? "light" : /light/.test(declared) ? "auto" : "dark";
};
