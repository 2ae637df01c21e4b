/**
 * The first request for a session, made while the WebAssembly is still on its way. It says what the module will say
 * (`open_session` in widget/core/src/requests.rs); the module's own request then takes its answer.
 */

import type { Shell } from "./shell";

/** Whether the visitor has set Global Privacy Control or Do Not Track. */
export const isPrivate = (): boolean => {
  const { globalPrivacyControl, doNotTrack } = navigator as { globalPrivacyControl?: boolean; doNotTrack?: unknown };
  return !!globalPrivacyControl || doNotTrack == "1";
};

/** `open` makes the request, once; `take` gives its answer to a request with this body, once. */
export const earlySession = ({ config, api, signal }: Shell) => {
  const [locale, , edge, site] = config;
  let body = "";
  let answer: Promise<Response> | undefined;
  return {
    open() {
      // Only the module asks the page who its visitor is.
      if (body || api!.identity != null) return;
      let resume: string | undefined;
      try {
        resume = JSON.parse(localStorage["bulle:" + site]).token;
      } catch {}
      const page = isPrivate() ? undefined : { url: location.origin + location.pathname, title: document.title };
      body = JSON.stringify({ site, locale, resume, page });
      answer = fetch(edge + "/v1/sessions", { method: "POST", body, signal });
      // Whether it failed, is asked by the module.
      answer.catch(() => {});
    },
    take(now: string) {
      const taken = body && JSON.stringify(JSON.parse(now)) == body ? answer : undefined;
      answer = undefined;
      return taken;
    },
  };
};
