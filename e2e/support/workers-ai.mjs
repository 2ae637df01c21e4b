// The Worker with a binding to Workers AI that asks a server of the test. It works like the platform's own binding
// (workerd, src/cloudflare/internal/ai-api.ts): it fetches, and returns the response or its body, or throws the error
// in it.
import Worker, { Conversation as Owner, Gate, Librarian, Meter } from "../../edge/worker/build/index.js";

class Ai {
  #url;

  constructor(url) {
    this.#url = url;
  }

  async run(model, inputs, { returnRawResponse, signal } = {}) {
    const response = await fetch(this.#url, { method: "POST", body: JSON.stringify({ model, inputs }), signal });
    if (returnRawResponse) return response;
    if (response.ok) return response.body;
    const { internalCode, description, name } = await response.json();
    throw Object.assign(new Error(`${internalCode}: ${description}`), { name });
  }
}

const bound = (env) => ({ ...env, AI: new Ai(env.AI_URL) });

export { Gate, Librarian, Meter };

export class Conversation extends Owner {
  constructor(state, env) {
    super(state, bound(env));
  }
}

export default class extends Worker {
  constructor(context, env) {
    super(context, bound(env));
  }
}
