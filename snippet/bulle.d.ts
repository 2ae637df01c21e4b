/**
 * The owner's JavaScript API of the bubble. `docs/embedding.md` explains it with examples.
 *
 * `Bulle` is the only global. Before the tag has run it is an array, which you may create yourself in order to make calls
 * at any time:
 *
 *     window.Bulle ??= [];
 *     window.Bulle.push(["identify", jwt]);
 *
 * A pushed call goes to every bubble of the page; `(window.Bulle as Bulle)["SITE_KEY"].open()` goes to one existing bubble.
 */

/** A JWT, a function that returns one or a promise of one, or nothing when the visitor has signed out. */
export type Identity = string | (() => string | null | undefined | Promise<string | null | undefined>) | null | undefined;

/** The events and their details. In a frame, only `ready`, `open`, `close` and `unread`. */
export interface Occasions {
  /** The first session is open: visitors can write. A listener that is added later is called at once. */
  ready: Record<string, never>;
  /** The panel has opened. */
  open: Record<string, never>;
  /** The panel has closed. */
  close: Record<string, never>;
  /** The visitor has written a message. */
  message: { text: string };
  /** The bot has answered; the answer as plain text. */
  /** `unanswered` when the documents do not answer the question, and the answer says so. */
  reply: { id: string; text: string; unanswered?: true };
  /** Something failed; `code` is one of docs/limits.md or openapi.json. */
  error: { code: string };
  /** The number of unread replies; 0 when the panel opens. */
  unread: { count: number };
}

/** The appearance that can change at any time; a colour is any colour of CSS. */
export interface Look {
  accent?: string;
  /** Text and icons on the accent. The default is black or white, whichever has more contrast. */
  onAccent?: string;
  scheme?: "auto" | "light" | "dark";
  position?: "left" | "right";
  size?: "compact" | "regular" | "large";
  /** A length of CSS such as "12px", as are the next ones. */
  radius?: string;
  /** Distance from the bottom of the window. */
  bottom?: string;
  /** Distance from the side of the window. */
  side?: string;
  width?: string;
  height?: string;
  /** Size of the launcher. */
  launcher?: string;
  /** `z-index` of the launcher; the panel stands one above. */
  z?: string;
  /** `font-family`. */
  font?: string;
  bg?: string;
  soft?: string;
  line?: string;
  text?: string;
  muted?: string;
  /** Errors, and actions that cannot be undone. */
  danger?: string;
  darkBg?: string;
  darkSoft?: string;
  darkLine?: string;
  darkText?: string;
  darkMuted?: string;
  darkDanger?: string;
}

/** One bubble. Every method may be called at any time; calls that need the code wait until it is loaded. */
export interface Bubble {
  open(): void;
  close(): void;
  toggle(): void;
  /** Opens the panel and asks this as if the visitor had typed it. */
  ask(text: string): void;
  /** Sets who the visitor is: docs/identity.md. */
  identify(who: Identity): void;
  /** Removes the visitor's data from the page at once, like `identify(null)`. */
  signOut(): void;
  setTheme(look: Look): void;
  /** Changes the language (BCP 47) to the nearest available one. */
  setLocale(locale: string): void;
  on<Kind extends keyof Occasions>(kind: Kind, listener: (detail: Occasions[Kind]) => void): void;
  off<Kind extends keyof Occasions>(kind: Kind, listener: (detail: Occasions[Kind]) => void): void;
  /** Removes everything: the element, listeners, timers, streams. The tag can be run again afterwards. */
  destroy(): void;
}

type Heard = "on" | "off";
type Said = Exclude<keyof Bubble, Heard>;

/** A method and its arguments. */
export type Call = { [Method in Said]: [Method, ...Parameters<Bubble[Method]>] }[Said];

/** Calls all bubbles, existing and future ones. */
export interface Calls {
  push(call: Call): unknown;
  push<Kind extends keyof Occasions>(call: [Heard, Kind, (detail: Occasions[Kind]) => void]): unknown;
}

/** `window.Bulle` once a tag has run: the bubbles by the keys of their sites, too. */
export type Bulle = Calls & { [site: string]: Bubble };

declare global {
  interface Window {
    Bulle?: Calls | Bulle;
  }
}
