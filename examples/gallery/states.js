/**
 * Every state that a visitor can see the bubble in, made with the real loader and the real widget: only the calls of a
 * conversation are answered here instead of by the edge, and the clock stands still.
 */

const NOW = Date.UTC(2026, 2, 14, 9, 41);
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

const TEXTS = {
  en: {
    ask: "How much is a baguette?",
    more: "And do you have anything without gluten?",
    short: "The traditional baguette costs €1.30.",
    intro: "Here is what we bake every morning",
    strong: "before seven o’clock",
    list: ["Traditional baguette, stone-baked", "Country loaf with our own sourdough", "Rye bread, from Thursday to Sunday"],
    heading: "Prices",
    head: ["Bread", "Weight", "Price"],
    rows: [["Baguette", "250 g", "€1.30"], ["Country loaf", "800 g", "€5.20"], ["Rye bread", "500 g", "€4.60"]],
    quote: "A good loaf needs flour, water, salt and time.",
    source: "Breads and prices",
    other: "Opening hours",
    snippet: "The traditional baguette costs €1.30. The sourdough country loaf of 800 g costs €5.20.",
    hours: "Open from Tuesday to Saturday, from 7:00 to 19:00.",
    next: ["Do you deliver?", "When are you open?"],
    code: "Order with a single call:",
    long: "We mix the dough the evening before and let it rest for eighteen hours in the cold, which gives the crumb its taste and keeps the loaf fresh for days.",
  },
  ar: {
    ask: "بكم رغيف الباغيت؟",
    more: "وهل لديكم خبز خالٍ من الغلوتين؟",
    short: "سعر رغيف الباغيت التقليدي 1.30 يورو.",
    intro: "هذا ما نخبزه كل صباح",
    strong: "قبل الساعة السابعة",
    list: ["باغيت تقليدي مخبوز على الحجر", "خبز ريفي بخميرتنا الطبيعية", "خبز الجاودار من الخميس إلى الأحد"],
    heading: "الأسعار",
    head: ["الخبز", "الوزن", "السعر"],
    rows: [["باغيت", "250 غ", "€1.30"], ["خبز ريفي", "800 غ", "€5.20"], ["جاودار", "500 غ", "€4.60"]],
    quote: "الرغيف الجيد يحتاج إلى دقيق وماء وملح ووقت.",
    source: "الخبز والأسعار",
    other: "ساعات العمل",
    snippet: "سعر رغيف الباغيت التقليدي 1.30 يورو. سعر الخبز الريفي 5.20 يورو.",
    hours: "نفتح من الثلاثاء إلى السبت، من 7:00 إلى 19:00.",
    next: ["هل توصلون الطلبات؟", "متى تفتحون؟"],
    code: "اطلب بنداء واحد:",
    long: "نعجن العجين في المساء السابق ونتركه يرتاح ثماني عشرة ساعة في البرد، فيكتسب اللب طعمه ويبقى الرغيف طازجًا لأيام.",
  },
};

const words = (text) => ({ type: "text", text });
const paragraph = (...content) => ({ type: "paragraph", content: content.map((part) => (typeof part == "string" ? words(part) : part)) });
const cite = (n) => ({ type: "cite", n });

const id = (n) => `01J0000000000000000000${String(n).padStart(4, "0")}`;
const CONVERSATION = id(1);

const sources = (t) => [
  { n: 1, title: t.source, url: "https://boulangerie.example/bread", snippet: t.snippet },
  { n: 2, title: t.other, url: "https://boulangerie.example/hours", snippet: t.hours },
];

const rich = (t) => [
  paragraph(t.intro, " ", { type: "strong", content: [words(t.strong)] }, ".", cite(1)),
  { type: "list", ordered: false, start: 1, items: t.list.map((item) => [paragraph(item)]) },
  { type: "heading", level: 2, content: [words(t.heading)] },
  {
    type: "table",
    align: ["none", "right", "right"],
    head: t.head.map((cell) => [words(cell)]),
    rows: t.rows.map((row) => row.map((cell) => [words(cell)])),
  },
  { type: "quote", content: [paragraph(t.quote)] },
];

const code = (t) => [
  paragraph(t.code),
  {
    type: "code",
    language: "js",
    text: '// A loaf for Saturday\nconst order = { bread: "rye", grams: 500 };\nawait fetch("/orders", {\n  method: "POST",\n  body: JSON.stringify(order),\n});',
  },
];

const asked = (n, text, at = NOW) => ({ id: id(n), role: "user", blocks: [paragraph(text)], text, created_at: at, status: "complete" });
const answered = (n, blocks, at = NOW, more = {}) => ({
  id: id(n), role: "assistant", blocks, text: "", created_at: at, status: "complete", reply_to: id(n - 1), finish: "stop", ...more,
});

/**
 * A state: `history` is what was said before, `turn` what the edge streams after `ask` is asked, `then` what a visitor
 * does next in the bubble's shadow root, and `until` tells when that can be seen.
 */
export const STATES = {
  closed: { closed: true },
  loading: { session: "never" },
  empty: {},
  answer: { history: (t) => [asked(10, t.ask), answered(11, rich(t), NOW, { sources: sources(t), feedback: { rating: "up" } })] },
  sources: {
    history: (t) => [asked(10, t.ask), answered(11, [paragraph(t.short, cite(1))], NOW, { sources: sources(t) })],
    then: (root) => root.querySelector("summary").click(),
  },
  code: { history: (t) => [asked(10, t.ask), answered(11, code(t))], until: () => CSS.highlights?.size > 0 },
  menu: {
    history: (t) => [asked(10, t.ask), answered(11, [paragraph(t.short)])],
    conversations: (t) => [
      { id: CONVERSATION, title: t.ask, created_at: NOW, updated_at: NOW },
      { id: id(2), title: t.more, created_at: NOW - DAY, updated_at: NOW - DAY },
      { id: id(3), title: t.next[0], created_at: NOW - 9 * DAY, updated_at: NOW - 9 * DAY },
    ],
    then: (root) => root.querySelector(".tool[aria-expanded]").click(),
    until: (root) => root.querySelectorAll(".sheet li").length > 2,
  },
  days: {
    history: (t) => [
      asked(10, t.ask, NOW - 3 * DAY),
      answered(11, [paragraph(t.short)], NOW - 3 * DAY),
      asked(12, t.more, NOW - DAY),
      answered(13, [paragraph(t.long)], NOW - DAY),
      asked(14, t.next[0], NOW),
      answered(15, [paragraph(t.hours)], NOW),
    ],
  },
  thinking: { ask: (t) => t.ask, turn: () => [] },
  streaming: {
    history: (t) => [asked(10, t.ask), answered(11, [paragraph(t.short)])],
    ask: (t) => t.more,
    turn: (t) => [["block", { index: 0, block: paragraph(t.long) }]],
  },
  next: {
    ask: (t) => t.ask,
    turn: (t, reply) => [
      ["block", { index: 0, block: paragraph(t.short, cite(1)) }],
      ["sources", { items: sources(t) }],
      ["suggestions", { items: t.next }],
      ["done", { reply_id: reply, finish: "stop", provider: "p", model: "m", usage: { input_tokens: 1, output_tokens: 1 }, remaining: { minute: 5, day: 3 } }],
    ],
  },
  broken: {
    ask: (t) => t.ask,
    turn: (t) => [
      ["block", { index: 0, block: paragraph(t.intro) }],
      ["error", { code: "upstream_interrupted", message: "", retry_after: null }],
    ],
  },
  limited: { ask: (t) => t.ask, refuse: { status: 429, code: "rate_limited", retry_after: 42 } },
  quota: {
    ask: (t) => t.ask,
    refuse: { status: 429, code: "quota_exceeded", retry_after: 12_000, action: { label: "Premium", url: "https://boulangerie.example/plans" } },
  },
  offline: { ask: (t) => t.ask, offline: true },
  refused: { session: "refused" },
};

/** Answers the calls of a conversation as the state wants it; everything else goes to the edge. */
export function fake(state, locale) {
  const t = TEXTS[locale] ?? TEXTS.en;
  Date.now = () => NOW;
  const real = window.fetch;
  const json = (body, status = 200, type = "application/json") =>
    new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
  const problem = ({ status, code, ...more }) =>
    json({ type: "about:blank", title: code, status, detail: code, code, ...more }, status, "application/problem+json");

  const turn = ({ id: message }) => {
    const reply = id(90);
    const events = [["start", { conversation_id: CONVERSATION, message_id: message, reply_id: reply }], ...state.turn(t, reply)];
    const frames = events.map(([event, data], n) => `event: ${event}\nid: ${message}:${n + 1}\ndata: ${JSON.stringify(data)}\n\n`);
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(frames.join("")));
          if (frames.length > 2 && /event: (done|error)/.test(frames.at(-1))) controller.close();
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  };

  window.fetch = async (input, init) => {
    const { pathname } = new URL(input.url ?? input, location.href);
    if (pathname === "/v1/sessions") {
      if (state.session === "never") return new Promise(() => {});
      if (state.session === "refused") return problem({ status: 403, code: "origin_not_allowed" });
      const answer = await (await real(input, init)).json();
      if (state.history) answer.conversation = { id: CONVERSATION };
      return json(answer, 201);
    }
    if (pathname === "/v1/conversations") return init?.method === "POST" ? json({ id: CONVERSATION }, 201) : json({ items: state.conversations?.(t) ?? [] });
    if (pathname.endsWith("/messages")) {
      if (init.method !== "POST") return json({ items: state.history?.(t) ?? [], next: null });
      if (state.refuse) return problem(state.refuse);
      return turn(JSON.parse(init.body));
    }
    if (pathname.endsWith("/events")) return new Promise(() => {});
    return real(input, init);
  };
  if (state.offline) Object.defineProperty(navigator, "onLine", { get: () => false });
  return t;
}
