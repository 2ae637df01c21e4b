/** Detects that the page's Content-Security-Policy keeps the widget from running. */

/** How long the browser may take to report a violation, in milliseconds. */
const REPORT_TIMEOUT = 1_000;

/**
 * Whether the policy is the cause of a failed start.
 *
 * @param error the error of the failed start
 * @param file the module's response, or the error of its fetch
 */
export const isBlocked = async (edge: string, error: unknown, file: unknown): Promise<boolean> => {
  // Without 'wasm-unsafe-eval', browsers fetch the module and do not compile it.
  if (file instanceof Response) return error instanceof Error && /^(CompileError|EvalError)$/.test(error.name);
  // A failed fetch does not say why. A second one under a listener does: a policy that refuses the edge reports it.
  const controller = new AbortController();
  const report = new Promise<boolean>((resolve) => {
    const onViolation = ({ disposition, blockedURI }: SecurityPolicyViolationEvent) =>
      disposition == "enforce" && blockedURI.startsWith(edge) && resolve(true);
    document.addEventListener("securitypolicyviolation", onViolation, { signal: controller.signal });
    const startTimeout = () => setTimeout(resolve, REPORT_TIMEOUT, false);
    fetch(edge + "/health", { method: "HEAD" }).then(startTimeout, startTimeout);
  });
  const blocked = await report;
  controller.abort();
  return blocked;
};
