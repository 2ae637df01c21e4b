/** Functions that make elements. Lazily loaded modules get them from `Panel`: an import would make another request. */

/** An element with a class, attributes and children. */
export const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  kind = "",
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] => {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...children);
  return element;
};

/** A decorative icon: a path on a grid of 24 pixels. */
export const icon = (d: string): SVGElement => {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg!.setAttribute("class", "icon");
  svg!.setAttribute("viewBox", "0 0 24 24");
  svg!.setAttribute("aria-hidden", "true");
  path!.setAttribute("d", d);
  svg!.append(path!);
  return svg as SVGElement;
};
