/**
 * The visible states of the bubble, with the real loader and the real widget. Only the edge's answers about the bot and
 * the conversation are faked, and the clock stands still.
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
    closed: "The bakery is closed until Tuesday, 7:00. Answers come all the same.",
    picture: "Here is the country loaf, and how it is sliced:",
    loaf: "A round country loaf",
    slices: "Slices of a country loaf",
    starters: ["What does a wedding cake cost?", "What can you tell me about “Allergens”?", "What can you tell me about “Orders – Delivery”?"],
    shortcuts: ["Are you open on Sunday?", "Breads and prices", "Call us", "Write us an e-mail", "Leave a message"],
    unknown: "I could not find anything about that in my documents.",
    form: {
      title: "Before we start",
      text: "So that we can call you back about your order.",
      name: "Your name",
      email: "E-mail",
      topic: "Topic",
      topics: ["Bread", "Cakes", "Something else"],
      consent: "I agree to the [privacy notice](https://boulangerie.example/privacy).",
      submit: "Start the chat",
      given: "Ada Lovelace",
    },
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
    closed: "المخبز مغلق حتى الثلاثاء الساعة 7:00، لكن الإجابات تصل دائمًا.",
    picture: "هذا هو الخبز الريفي، وهكذا نقطّعه:",
    loaf: "رغيف ريفي مستدير",
    slices: "شرائح من الخبز الريفي",
    starters: ["كم سعر كعكة الزفاف؟", "ماذا يمكنك أن تخبرني عن «مسببات الحساسية»؟", "ماذا يمكنك أن تخبرني عن «الطلبات – التوصيل»؟"],
    shortcuts: ["هل تفتحون يوم الأحد؟", "الخبز والأسعار", "اتصل بنا", "راسلنا بالبريد الإلكتروني", "اترك رسالة"],
    unknown: "لم أجد شيئًا عن ذلك في مستنداتي.",
    form: {
      title: "قبل أن نبدأ",
      text: "حتى نتمكن من الاتصال بكم بشأن طلبكم.",
      name: "الاسم",
      email: "البريد الإلكتروني",
      topic: "الموضوع",
      topics: ["الخبز", "الحلويات", "شيء آخر"],
      consent: "أوافق على [سياسة الخصوصية](https://boulangerie.example/privacy).",
      submit: "ابدأ المحادثة",
      given: "ليلى حداد",
    },
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

const done = (reply) => [
  "done",
  { reply_id: reply, finish: "stop", provider: "p", model: "m", usage: { input_tokens: 1, output_tokens: 1 }, remaining: { minute: 5, day: 3 } },
];

/** A long history, more than a panel shows at once. */
const much = (t) =>
  Array.from({ length: 5 }, (_, n) => [asked(10 + 2 * n, n % 2 ? t.more : t.ask), answered(11 + 2 * n, [paragraph(n % 2 ? t.long : t.short)])]).flat();

const spoken = (t) => [asked(10, t.ask), answered(11, [paragraph(t.short)])];

const kept = (t) => [
  { id: CONVERSATION, title: t.ask, created_at: NOW, updated_at: NOW },
  { id: id(2), title: t.more, created_at: NOW - DAY, updated_at: NOW - DAY },
  { id: id(3), title: t.next[0], created_at: NOW - 9 * DAY, updated_at: NOW - 9 * DAY },
];

const form = ({ form: { name, email, topic, topics, ...texts } }) => ({
  ...texts,
  required: true,
  fields: [
    { name: "name", label: name, kind: "text", required: true },
    { name: "email", label: email, kind: "email", required: true },
    { name: "topic", label: topic, kind: "select", required: false, options: topics },
  ],
});

/** A first screen with everything that an owner may put there. */
const first = (t) => {
  const [ask, page, call, mail, message] = t.shortcuts;
  const shortcuts = [
    { label: ask, kind: "ask", value: ask },
    { label: page, kind: "page", value: "https://boulangerie.example/bread" },
    { label: call, kind: "call", value: "tel:+33123456789" },
    { label: mail, kind: "mail", value: "mailto:hello@boulangerie.example" },
    { label: message, kind: "form", value: "" },
  ];
  return { suggestions: t.starters, topics: [], shortcuts, form: { ...form(t), required: false }, privacy_url: "https://boulangerie.example/privacy" };
};

/** Calls `act` with the element that `wanted` selects, as soon as it exists. */
const once = async (root, wanted, act) => {
  while (!root.querySelector(wanted)) await new Promise((resolve) => setTimeout(resolve, 20));
  act(root.querySelector(wanted));
};
const click = (root, wanted) => once(root, wanted, (button) => button.click());

/**
 * A state: `bot` overrides the bot, `history` is the stored conversation, `ready` tells when the question `ask` may be asked,
 * `turn` is the stream after it (it waits until each function in it returns true), `then` the visitor's next action in the
 * bubble's shadow root, and `until` tells when its result is visible. `site` is the key of another site than that of the
 * examples. A `hosted` state is that of the hosted page, in a wide window.
 */
export const STATES = {
  closed: { closed: true },
  note: { closed: true, site: "gallery-demo", until: (root) => root.querySelector(".frame > [role=status] button") },
  unread: {
    ask: (t) => t.ask,
    turn: (t, reply) => [(root) => root.querySelector(".frame:not(.open)"), ["block", { index: 0, block: paragraph(t.short) }], done(reply)],
    then: (root) => click(root, ".header > .tool:last-child"),
    until: (root) => root.querySelector("[data-unread]"),
  },
  loading: { session: "never" },
  unavailable: { session: "none", until: (root) => root.querySelector(".cover .retry") },
  empty: {},
  first: { bot: first, until: (root) => root.querySelector(".shortcuts a") },
  form: {
    bot: (t) => ({ form: form(t) }),
    then: async (root, t) => {
      await click(root, ".form .check input");
      const [name, email] = root.querySelectorAll(".form .in");
      [name.value, email.value] = [t.form.given, "ada.example.com"];
      await click(root, ".form .yes");
    },
    until: (root) => root.querySelector(".form [aria-invalid=true]"),
  },
  hours: { bot: (t) => ({ hours: { open: false, text: t.closed } }), history: spoken },
  answer: { history: (t) => [asked(10, t.ask), answered(11, rich(t), NOW, { sources: sources(t), feedback: { rating: "up" } })] },
  sources: {
    history: (t) => [asked(10, t.ask), answered(11, [paragraph(t.short, cite(1))], NOW, { sources: sources(t) })],
    then: (root) => root.querySelector("summary").click(),
  },
  images: {
    history: (t) => [
      asked(10, t.ask),
      answered(11, [
        paragraph(t.picture),
        paragraph({ type: "image", url: `${location.origin}/gallery/loaf.svg`, alt: t.loaf }),
        paragraph({ type: "image", url: `${location.origin}/gallery/slices.svg`, alt: t.slices }),
      ]),
    ],
    then: (root) => click(root, "[data-do=image]"),
    until: (root) => root.querySelector(".text img")?.naturalWidth,
  },
  code: { history: (t) => [asked(10, t.ask), answered(11, code(t))], until: () => CSS.highlights?.size > 0 },
  comment: {
    history: spoken,
    then: (root) => click(root, "[data-do=bad]"),
    until: (root) => root.querySelector(".comment textarea"),
  },
  files: {
    bot: () => ({ features: { attachments: true } }),
    then: (root) =>
      once(root, "input[type=file]", (input) => {
        const files = new DataTransfer();
        for (const name of ["order.pdf", "recipe.docx", "cake.jpg"]) files.items.add(new File(["Flour. ".repeat(20_000)], name));
        input.files = files.files;
        input.dispatchEvent(new Event("change"));
      }),
    until: (root) => root.querySelector(".files .wrong") && !root.querySelector(".files progress"),
  },
  menu: {
    history: spoken,
    conversations: kept,
    then: (root) => click(root, ".tool[aria-expanded]"),
    until: (root) => root.querySelectorAll(".sheet li").length > 2,
  },
  delete: {
    history: spoken,
    conversations: kept,
    then: async (root) => {
      await click(root, ".tool[aria-expanded]");
      await click(root, ".sheet li:nth-child(2) .tool:last-child");
    },
    until: (root) => root.querySelector(".sheet .red"),
  },
  erase: {
    history: spoken,
    conversations: kept,
    then: async (root) => {
      await click(root, ".tool[aria-expanded]");
      await click(root, ".sheet .danger");
    },
    until: (root) => root.querySelector(".sheet .red") && root.querySelectorAll(".sheet li").length > 2,
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
  earlier: {
    history: much,
    older: true,
    then: (root) => root.querySelector(".log").scrollTo(0, 0),
  },
  newest: {
    history: much,
    ask: (t) => t.next[1],
    turn: (t) => [["block", { index: 0, block: paragraph(t.hours) }], (root) => root.querySelector(".log").scrollTop < 100, ["block", { index: 1, block: paragraph(t.long) }]],
    then: (root) => root.querySelector(".log").scrollTo(0, 0),
    until: (root) => root.querySelector(".newest"),
  },
  thinking: { ask: (t) => t.ask, turn: () => [] },
  streaming: {
    history: spoken,
    ask: (t) => t.more,
    turn: (t) => [["block", { index: 0, block: paragraph(t.long) }]],
  },
  next: {
    ask: (t) => t.ask,
    turn: (t, reply) => [
      ["block", { index: 0, block: paragraph(t.short, cite(1)) }],
      ["sources", { items: sources(t) }],
      ["suggestions", { items: t.next }],
      done(reply),
    ],
  },
  reach: {
    bot: first,
    // The code of the shortcuts is fetched after the session.
    ready: (root) => root.querySelector(".shortcuts"),
    ask: (t) => t.more,
    turn: (t, reply) => {
      const [kind, end] = done(reply);
      return [["block", { index: 0, block: paragraph(t.unknown) }], ["suggestions", { items: t.next }], [kind, { ...end, unanswered: true }]];
    },
    until: (root) => root.querySelector(".reach"),
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
  hosted: { hosted: true, bot: first, history: (t) => [asked(10, t.ask), answered(11, rich(t), NOW, { sources: sources(t) })] },
  "hosted-first": { hosted: true, bot: first, until: (root) => root.querySelector(".shortcuts a") },
};

/** Answers the calls about the bot and the conversation as the state needs; all others go to the edge. */
export function fake(state, locale) {
  const t = TEXTS[locale] ?? TEXTS.en;
  Date.now = () => NOW;
  // Removed, because a note that was answered or closed is not shown again.
  localStorage.removeItem(`bulle-note:${state.site}`);
  const real = window.fetch;
  const json = (body, status = 200, type = "application/json") =>
    new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
  const problem = ({ status, code, ...more }) =>
    json({ type: "about:blank", title: code, status, detail: code, code, ...more }, status, "application/problem+json");

  const turn = ({ id: message }) => {
    const reply = id(90);
    const events = [["start", { conversation_id: CONVERSATION, message_id: message, reply_id: reply }], ...state.turn(t, reply)];
    const { readable, writable } = new TransformStream();
    const send = async () => {
      const root = document.querySelector("[data-bulle]").shadowRoot;
      const writer = writable.getWriter();
      let n = 0;
      for (const event of events) {
        if (typeof event == "function") {
          while (!event(root)) await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        const [kind, data] = event;
        n += 1;
        void writer.write(new TextEncoder().encode(`event: ${kind}\nid: ${message}:${n}\ndata: ${JSON.stringify(data)}\n\n`));
        if (kind == "done" || kind == "error") void writer.close();
      }
    };
    void send();
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });
  };

  window.fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(input.url ?? input, location.href);
    if (state.session === "none" && pathname.endsWith(".wasm")) throw new TypeError("Failed to fetch");
    if (pathname === "/v1/sessions") {
      if (state.session === "never") return new Promise(() => {});
      if (state.session === "refused") return problem({ status: 403, code: "origin_not_allowed" });
      const answer = await (await real(input, init)).json();
      if (state.history) answer.conversation = { id: CONVERSATION };
      Object.assign(answer.bot, state.bot?.(t));
      return json(answer, 201);
    }
    if (pathname === "/v1/conversations") return init?.method === "POST" ? json({ id: CONVERSATION }, 201) : json({ items: state.conversations?.(t) ?? [] });
    if (pathname.endsWith("/messages")) {
      if (init.method !== "POST") {
        const isOlder = searchParams.has("before");
        return isOlder ? new Promise(() => {}) : json({ items: state.history?.(t) ?? [], next: state.older ? "older" : null });
      }
      if (state.refuse) return problem(state.refuse);
      return turn(JSON.parse(init.body));
    }
    if (pathname.endsWith("/feedback")) return new Response(null, { status: 204 });
    if (pathname === "/v1/attachments") {
      const name = searchParams.get("name");
      if (name.endsWith(".docx")) return problem({ status: 503, code: "storage_unavailable" });
      return json({ id: id(50), name, bytes: 140_000, characters: 140_000 }, 201);
    }
    if (pathname.endsWith("/events")) return new Promise(() => {});
    return real(input, init);
  };
  if (state.offline) Object.defineProperty(navigator, "onLine", { get: () => false });
  return t;
}
