/** The types that the lazily loaded modules of the panel share. Types only: importing this adds no bytes to a module. */

import type { Handle } from "./bridge";
import type { icon, make } from "./dom";
import type { Shell } from "./shell";

/** The answer to a call of the edge; status 0 when there was none. */
export interface Answer {
  status: number;
  body: string;
}

/** `Form` in protocol/src/session.rs. */
export interface Form {
  title: string;
  text?: string;
  fields: FormField[];
  /** The text that the visitor must agree to; `[words](https://…)` and bare addresses become links. */
  consent?: string;
  submit: string;
  /** Whether messages are refused until it is filled in. */
  required?: boolean;
}

export interface FormField {
  name: string;
  label: string;
  kind: "text" | "email" | "tel" | "select" | "textarea" | "checkbox";
  required: boolean;
  options?: string[];
}

/** `Shortcut` in protocol/src/session.rs. */
export interface Shortcut {
  label: string;
  kind: "ask" | "page" | "call" | "mail" | "form";
  /** The question, or the address of the link; empty for a form. */
  value: string;
}

/** The fields of `Bot` (protocol/src/session.rs) that the page reads. */
export interface Bot {
  name: string;
  locale: string;
  strings: Record<string, string>;
  sheets?: Record<string, string>;
  features?: Partial<Record<"attachments" | "dictation" | "feedback" | "sound" | "history" | "export", boolean>>;
  form?: Form;
  shortcuts?: Shortcut[];
  privacy_url?: string;
}

/**
 * The state and the functions that features.ts gives to each feature. A feature takes its functions from here instead of
 * importing them, so that its module holds no second copy.
 */
export interface Panel extends Pick<Shell, "root" | "frame" | "body" | "signal"> {
  edge: string;
  site: string;
  /** The text shown when something cannot be loaded, and the label of the retry button. The loader brings both, so they are always there. */
  unavailable: string;
  again: string;
  bot: Bot;
  /** The visitor's id. */
  visitor?: string;
  /** Reports to the visitor's other tabs that the edge has erased this visitor. */
  erased(visitor?: string): void;
  /** The id of the conversation that the edge was last asked about. */
  current?: string;
  /** The texts of the features; see i18n.ts. */
  texts?: Promise<Record<string, string>>;
  handle(): Handle | undefined;
  /** Calls the edge as the visitor. */
  call(method: string, path: string, body?: string | Blob): Promise<Answer>;
  make: typeof make;
  icon: typeof icon;
  /** Adds a style sheet to the bubble. */
  style(css: string): void;
  /** Called with every event that the widget emits to the page. */
  listeners: ((kind: string, detail: string) => void)[];
}
