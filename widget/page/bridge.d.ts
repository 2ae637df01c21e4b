/** The interface between the widget (WebAssembly) and its host, the page's side of it. */

/** The functions that the widget calls: the import in widget/web/src/host.rs. */
export interface Host {
  /** Makes a call to the edge; answered under its ticket by the methods of the handle. */
  request(ticket: number, method: string, url: string, token: string | undefined, body: string | undefined): void;
  /** Aborts a call whose answer is no longer needed. */
  abort(ticket: number): void;
  /** The answer to `Handle.call`; status 0 when there was none. */
  replied(ticket: number, status: number, body: string): void;
  /** The page's identity for its visitor: the `sub` of a JWT, undefined for no identity, "" when a function must be called. */
  identity(): string | undefined;
  /** Requests a JWT from the page; answered by `Handle.named`. */
  identify(ticket: number): void;
  /** Shows Turnstile, or removes it when `script` is empty; answered by `Handle.challenged`. */
  challenge(script: string, sitekey: string, language: string): void;
  /** An event for the page: `HostEvent` in widget/core. `detail` is JSON. */
  emit(kind: string, detail: string): void;
  /** A time in Unix milliseconds in the visitor's language: the "time" of day, or the "day". */
  date(at: number, form: string): string;
  /** Copies text to the clipboard; on success the command `copied` follows. */
  copy(text: string): void;
  /** Whether the visitor has set Global Privacy Control or Do Not Track. */
  private(): boolean;
}

/** The methods that the host calls: the export in widget/web/src/lib.rs. */
export interface Handle {
  answered(ticket: number, status: number, body: string): void;
  streamed(ticket: number, bytes: Uint8Array): void;
  /** A call got no answer, or its answer has ended or broken off. */
  broken(ticket: number): void;
  /** The page's identity for its visitor has changed; the value is as of `Host.identity`. */
  identified(identity?: string): void;
  /** The page's JWT and its `sub`, if that can be read; no JWT when the page failed. */
  named(ticket: number, jwt?: string, subject?: string): void;
  /** A token of Turnstile, or nothing when it cannot be shown. */
  challenged(token?: string): void;
  /** Another tab has sent a message: the ticket for the chunks of its answer, 0 when this tab does not show them. */
  overheard(conversation: string, message: string, text: string): number;
  /** A command by name: see `Handle::command` in widget/web/src/lib.rs. */
  command(name: string, value: string): void;
  /** Calls the edge as the visitor; the ticket of the answer. */
  call(method: string, path: string, body?: string): number;
  /** Drops the widget; the handle must not be used afterwards. */
  free(): void;
}
