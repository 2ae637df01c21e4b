// The Worker of this folder as the platform sees it, around the glue of its Rust module; see edge/worker/entry.js.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as rust from "bulle-glue";

rust.__worker_init_state();

export class Conversation {
  #half;

  constructor(...given) {
    this.#half = new rust.Conversation(...given);
  }

  fetch(request) {
    return this.#half.fetch(request);
  }
}

export default class extends WorkerEntrypoint {
  fetch(request) {
    return rust.fetch(request, this.env, this.ctx);
  }
}
