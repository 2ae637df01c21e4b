// A web server that fails on demand: the test sets the answer of each path.
import { createServer } from "node:http";
import { listen } from "./listen.mjs";

/** A page with this title, text, and links. */
export const page = (title, text, links = [], head = "") =>
  `<!doctype html><html lang="en"><head><title>${title}</title>${head}</head><body><main><h1>${title}</h1><p>${text}</p></main>` +
  `<nav>${links.map((link) => `<a href="${link}">${link}</a>`).join(" ")}</nav></body></html>`;

export async function startWeb() {
  const web = { pages: {}, requests: [] };
  const server = createServer(async (request, response) => {
    web.requests.push({ path: request.url, headers: request.headers, at: Date.now() });
    const known = web.pages[request.url];
    if (known === undefined) return response.writeHead(404).end("nothing");
    if (typeof known === "function") return known(request, response);
    const { status = 200, headers = {}, body = "" } = typeof known === "string" ? { body: known } : known;
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);
  });
  const port = await listen(server);
  web.host = `127.0.0.1:${port}`;
  web.url = `http://${web.host}`;
  /** The number of requests for a path. */
  web.asked = (path) => web.requests.filter((request) => request.path === path).length;
  web.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return web;
}
