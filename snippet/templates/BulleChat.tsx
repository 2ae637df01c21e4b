import { useEffect } from "react";

const SITE = "SITE_KEY";
const SCRIPT = `${"https://EDGE"}/s/${SITE}.js`;

/** The chat goes with its last tag. A tag that was taken away may still run: it asks again. */
function settle() {
  const { Bulle } = window as { Bulle?: Record<string, { destroy(): void }> };
  if (!document.querySelector(`script[src="${SCRIPT}"]`)) Bulle?.[SITE]?.destroy();
}

/** The chat of this site, for as long as this is on the page. Put it into the layout, so that it stays from page to page. */
export function BulleChat() {
  useEffect(() => {
    const tag = Object.assign(document.createElement("script"), { async: true, src: SCRIPT, onload: settle });
    document.head.append(tag);
    return () => {
      tag.remove();
      settle();
    };
  }, []);
  return null;
}
