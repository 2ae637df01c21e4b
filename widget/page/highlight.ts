/**
 * Syntax highlighting with the CSS Custom Highlight API: it colours ranges of the text and leaves the widget's elements
 * as they are. A browser without the API shows plain code.
 */

import type { Panel } from "./panel";

// TypeScript's library declares `Highlight` from es2024 on; tsconfig.json sets an older one.
declare const Highlight: new () => Set<AbstractRange>;

const KINDS = ["comment", "string", "number", "keyword", "name"] as const;

const COLOURS = [
  // For the light and the dark code background: contrast of at least 4.5 to 1 on white and on #17181c.
  ["#5f6672", "#9aa1b0"],
  ["#0a6b3b", "#7ddba3"],
  ["#9a3412", "#fbb07a"],
  ["#7c2fc4", "#c9a6ff"],
  ["#0b5cad", "#84bdff"],
];

const css = () => {
  const rules = (scheme: string, at: number) =>
    KINDS.map((kind, n) => `${scheme} code::highlight(bulle-${kind}){color:${COLOURS[n]![at]}}`).join("");
  return `@media(forced-colors:none){${rules("", 0)}${rules(".dark", 1)}@media(prefers-color-scheme:dark){${rules(".auto", 1)}}}`;
};

const SLASHES = "//.*|/\\*[^]*?(?:\\*/|$)";
const HASH = "(?<![^\\s;])#.*";
const QUOTES = "\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?";
const TICKS = "|`(?:\\\\[^]|[^`\\\\])*`?";
const NUMBER = "(?<![\\w$])(?:0[xob][\\da-f_]+|\\d(?:[\\d_]|'(?=\\d))*(?:\\.\\d[\\d_]*)?(?:e[+-]?\\d+)?)\\w*";

const COMMON = "break|case|continue|default|else|false|for|if|return|true|while|";
const OBJECTS = COMMON + "catch|class|const|do|enum|finally|import|new|null|static|super|switch|this|throw|try|void|interface|private|protected|public|abstract|";
const words = (list: string, flags = "") => `(?<![\\w$.-])(?:${list})(?![\\w$-])${flags}`;

/** Patterns in the order of `KINDS`; an empty one never matches. */
type Grammar = [comment: string, string: string, number: string, keyword: string, name?: string, flags?: string];

const code = (keywords: string, comment = SLASHES, strings = QUOTES, name = ""): Grammar => [comment, strings, NUMBER, words(keywords), name];

const SCRIPT = code(OBJECTS + "as|async|await|boolean|declare|delete|export|extends|from|function|implements|in|instanceof|let|namespace|never|number|of|readonly|string|type|typeof|undefined|unknown|any|var|yield", SLASHES, QUOTES + TICKS);
const C = code(
  OBJECTS + "auto|bool|boolean|byte|char|decimal|double|extends|extern|final|float|foreach|goto|implements|in|inline|instanceof|int|internal|is|long|namespace|nullptr|object|operator|out|override|package|record|ref|sealed|short|signed|sizeof|string|struct|template|throws|typedef|typename|union|unsigned|using|var|virtual|volatile|async|await",
  SLASHES,
  QUOTES,
  "^[ \\t]*#[ \\t]*\\w+|@\\w+",
);
const MARKUP: Grammar = ["<!--[^]*?(?:-->|$)", "(?<==)(?:\"[^\"]*\"?|'[^']*'?)", "&#?\\w+;", "</?[\\w:.-]+|/?>|<![^>]*>", "(?<=\\s)[\\w:@.-]+(?==)"];

const GRAMMARS: [RegExp, Grammar][] = [
  [/^(jsx?|javascript|[cm]js|tsx?|typescript)$/, SCRIPT],
  [/^(c|h|cc|cpp|c\+\+|cs|csharp|c#|java)$/, C],
  [/^py/, code(COMMON + "False|None|True|and|as|assert|async|await|class|def|del|elif|except|finally|from|global|import|in|is|lambda|nonlocal|not|or|pass|raise|try|with|yield|self", HASH, `[bfru]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${QUOTES})`, "@[\\w.]+")],
  [/^r(s|ust)$/, code(COMMON + "as|async|await|const|crate|dyn|enum|extern|fn|impl|in|let|loop|match|mod|move|mut|pub|ref|self|Self|static|struct|super|trait|type|unsafe|use|where", SLASHES, "b?\"(?:\\\\[^]|[^\"\\\\])*\"?|'(?:\\\\.[^']*|[^'\\\\])'", "\\b\\w+!(?=[\\s([{])|#!?\\[[^\\]]*\\]|'\\w+")],
  [/^go/, code(COMMON + "chan|const|defer|fallthrough|func|go|goto|import|interface|map|nil|package|range|select|struct|switch|type|var|string|int|error|bool|byte|any", SLASHES, QUOTES + TICKS)],
  [/^php/, code(OBJECTS + "as|echo|elseif|extends|fn|foreach|function|global|implements|include|include_once|instanceof|isset|match|namespace|require|require_once|string|int|array|trait|unset|use|var|yield", SLASHES + "|" + HASH, QUOTES, "\\$\\w+|<\\?(?:php|=)?|\\?>")],
  [/^r(b|uby)$/, code(COMMON + "alias|and|begin|class|def|defined|do|elsif|end|ensure|in|module|next|nil|not|or|puts|raise|require|require_relative|rescue|self|super|then|unless|until|when|yield", HASH, QUOTES, "(?<![:\\w]):\\w+|@{1,2}\\w+")],
  [/sh(ell)?$/, code(COMMON + "cd|declare|do|done|echo|elif|esac|exit|export|fi|function|in|local|readonly|set|shift|source|then|trap|unset|until", HASH, "\"(?:\\\\[^]|[^\"\\\\])*\"?|'[^']*'?", "\\$\\{[^}]*\\}|\\$[\\w@#?*!$-]+|(?<=\\s)--?[a-zA-Z][\\w-]*")],
  [/^sql/, ["--.*|/\\*[^]*?(?:\\*/|$)", "'(?:''|[^'])*'?|\"[^\"]*\"?", NUMBER, words("add|all|alter|and|as|asc|avg|begin|between|by|case|cast|commit|constraint|count|create|cross|default|delete|desc|distinct|drop|else|end|except|exists|false|foreign|from|full|group|having|if|in|index|inner|insert|integer|into|is|join|key|left|like|limit|max|min|not|null|offset|on|or|order|outer|primary|references|returning|right|rollback|select|set|sum|table|text|then|true|union|unique|update|using|values|varchar|view|when|where|with"), "", "i"]],
  [/^jsonc?$/, [SLASHES, '"(?:\\\\.|[^"\\\\\\n])*(?:"(?!\\s*:)|$)', "-?\\d[\\d.]*(?:[eE][+-]?\\d+)?", words("true|false|null"), '"(?:\\\\.|[^"\\\\\\n])*"(?=\\s*:)']],
  [/^ya?ml$/, [HASH, QUOTES, "(?<=[:\\-,[]\\s*)-?\\d[\\d.]*(?=\\s*(?:$|[,\\]#]))", "(?<=[:\\-,[]\\s+)(?:true|false|null|yes|no|~)(?=\\s*(?:$|[,\\]#]))", "^[ \\t]*(?:- +)*[\\w.\"'/-]+(?=:(?:\\s|$))|[&*]\\w+(?=\\s|$)"]],
  [/^(html|xml|svg)$/, MARKUP],
  [/^s?css$/, ["/\\*[^]*?(?:\\*/|$)|(?<![:\\w])//.*", QUOTES, "#[\\da-fA-F]{3,8}\\b(?=[^{]*[;}])|(?<![\\w-])-?[\\d.]+(?:%|[a-z]+)?", "@[\\w-]+|!\\w+", "(?:--|\\$)[\\w-]+|(?<=[{;]\\s*)[\\w-]+(?=\\s*:)"]],
];

/** The longest code that is highlighted, in characters. The work is synchronous, so it is bounded. */
const MAX = 30_000;

/** The grammar as one regular expression, with a group for each kind. */
const compile = ([comment, string, number, keyword, name, flags]: Grammar) =>
  new RegExp([comment, string, number, keyword, name].map((part) => `(${part || "(?!)"})`).join("|"), "gm" + (flags ?? ""));

/** The tokens of a text: `[from, to, kind]`. */
export const tokens = (language: string, text: string): [number, number, (typeof KINDS)[number]][] => {
  const grammar = GRAMMARS.find(([names]) => names.test(language.toLowerCase()))?.[1];
  if (!grammar || text.length > MAX) return [];
  const found: [number, number, (typeof KINDS)[number]][] = [];
  for (const match of text.matchAll(compile(grammar))) {
    const kind = match.slice(1).findIndex((part) => part !== undefined);
    if (match[0]) found.push([match.index!, match.index! + match[0].length, KINDS[kind]!]);
  }
  return found;
};

/** The highlighted text nodes, each with its text at that time and its ranges. */
const done = new WeakMap<Panel, Map<Text, [string, AbstractRange[]]>>();

/** Highlights the code of finished answers. */
export const highlight = (panel: Panel): void => {
  const highlights = (CSS as { highlights?: Map<string, Set<AbstractRange>> }).highlights;
  if (!highlights) return;
  let last = done.get(panel);
  if (!last) {
    done.set(panel, (last = new Map()));
    panel.style(css());
  }
  const sets = KINDS.map((kind) => {
    const name = "bulle-" + kind;
    if (!highlights.has(name)) highlights.set(name, new Highlight());
    return highlights.get(name)!;
  });
  for (const [node, [text, ranges]] of last) {
    if (node.isConnected && node.data == text) continue;
    for (const range of ranges) for (const set of sets) set.delete(range);
    last.delete(node);
  }
  for (const pre of panel.root.querySelectorAll<HTMLElement>("pre[data-language]")) {
    const node = pre.querySelector("code")?.firstChild;
    if (!(node instanceof Text) || last.has(node) || pre.closest(".writing")) continue;
    const ranges = tokens(pre.dataset.language!, node.data).map(([startOffset, endOffset, kind]) => {
      const range = new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset });
      sets[KINDS.indexOf(kind)]!.add(range);
      return range;
    });
    last.set(node, [node.data, ranges]);
  }
};
