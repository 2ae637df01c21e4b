/** What the widget (WebAssembly) and the page's side of it say to each other. */

/** What the widget asks of the page: the import in widget/web/src/page.rs. */
export interface Page {
  /** Makes a call to the edge; answered under its ticket by the methods of the handle. */
  request(ticket: number, method: string, url: string, token: string | undefined, body: string | undefined): void;
  /** Nobody waits for this call any more. */
  abort(ticket: number): void;
  /** The answer to `Handle.call`; status 0 when there was none. */
  replied(ticket: number, status: number, body: string): void;
  /** What the page has said of its visitor: the `sub` of a JWT, nothing for nobody, "" when it takes asking. */
  identity(): string | undefined;
  /** Asks the page for a JWT; answered by `Handle.named`. */
  identify(ticket: number): void;
  /** Shows Turnstile, or takes it away when `script` is empty; answered by `Handle.challenged`. */
  challenge(script: string, sitekey: string, language: string): void;
  /** Something happened that the page may want to know; `detail` is JSON. See `Occasion` in widget/core. */
  emit(kind: string, detail: string): void;
  /** A time in Unix milliseconds in the visitor's language: "time" of the day, or the "day". */
  date(at: number, form: string): string;
  /** Puts text on the clipboard; answered by the wish `copied` when it is there. */
  copy(text: string): void;
  /** The visitor does not want to be followed: Global Privacy Control, or Do Not Track. */
  private(): boolean;
}

/** What the page tells the widget: the export in widget/web/src/lib.rs. */
export interface Handle {
  answered(ticket: number, status: number, body: string): void;
  streamed(ticket: number, bytes: Uint8Array): void;
  /** A call got no answer, or its answer has ended or broken off. */
  broken(ticket: number): void;
  /** The page says anew who its visitor is: as `Page.identity`. */
  identified(who?: string): void;
  /** The page's JWT, its `sub` as far as it can be read; no JWT when the page failed. */
  named(ticket: number, jwt?: string, subject?: string): void;
  /** A token of Turnstile, or nothing when it cannot be shown. */
  challenged(token?: string): void;
  /** Another tab has sent a message: the ticket for the pieces of its answer, 0 when nobody here wants them. */
  overheard(conversation: string, message: string, text: string): number;
  /** A wish, by name: see `Handle::tell` in widget/web/src/lib.rs. */
  tell(wish: string, value: string): void;
  /** Calls the edge as the visitor; the ticket of the answer. */
  call(method: string, path: string, body?: string): number;
  /** Ends the widget; nothing may be called any more. */
  free(): void;
}
