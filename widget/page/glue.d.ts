/** The module that wasm-bindgen makes of widget/web; the build resolves this name to it. */
declare module "bulle-glue" {
  type Handle = import("./bridge").Handle;
  type Host = import("./bridge").Host;

  /** Instantiates the module, once for all bubbles of a page. */
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

  /** Fills the panel; nothing when the settings cannot be read. See `mount` in widget/web/src/lib.rs. */
  export function mount(
    body: HTMLElement,
    tools: HTMLElement,
    settings: string,
    focus: boolean,
    host: Host,
  ): Handle | undefined;
}
