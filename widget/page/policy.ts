/** Whether it is the page's Content-Security-Policy that keeps the widget from running here. */

/** How long the browser may take to say that it was the policy, in milliseconds. */
const PATIENCE = 1_000;

/**
 * @param error what has failed
 * @param file the module as it came
 */
export const refuses = async (edge: string, error: unknown, file: unknown): Promise<boolean> => {
  // Without 'wasm-unsafe-eval', browsers fetch the module and do not compile it.
  if (file instanceof Response) return error instanceof Error && /^(CompileError|EvalError)$/.test(error.name);
  // The network fails without a word; a policy says so when it is met again.
  const controller = new AbortController();
  const told = new Promise<boolean>((resolve) => {
    const heard = ({ disposition, blockedURI }: SecurityPolicyViolationEvent) =>
      disposition == "enforce" && blockedURI.startsWith(edge) && resolve(true);
    document.addEventListener("securitypolicyviolation", heard, { signal: controller.signal });
    const met = () => setTimeout(resolve, PATIENCE, false);
    fetch(edge + "/health", { method: "HEAD" }).then(met, met);
  });
  const refused = await told;
  controller.abort();
  return refused;
};
