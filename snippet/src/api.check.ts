/** A page's TypeScript with the types of bulle.d.ts; type-checked, and never run. */

import type { Bulle } from "../bulle";

window.Bulle ??= [];
window.Bulle.push(["identify", () => fetch("/jwt").then((answer) => answer.text())]);
window.Bulle.push(["ask", "Do you deliver?"]);
window.Bulle.push(["setTheme", { accent: "#0f766e", darkBg: "#111", position: "left" }]);
window.Bulle.push(["on", "reply", ({ text }) => console.log(text.length)]);
window.Bulle.push(["off", "unread", ({ count }) => console.log(count.toFixed())]);
const bubble = (window.Bulle as Bulle)["SITE_KEY"];
bubble?.on("error", ({ code }) => console.log(code.length));

// @ts-expect-error There is no such method.
window.Bulle.push(["opne"]);
// @ts-expect-error There is no such occasion.
window.Bulle.push(["on", "replied", () => {}]);
// @ts-expect-error A reply has a text.
window.Bulle.push(["on", "reply", ({ count }) => count]);
// @ts-expect-error A question is a text.
bubble?.ask(1);
