// A proxy to the edge that cuts files in the middle: it promises the whole length and sends half of the bytes.
import { createServer, request as ask } from "node:http";
import { listen } from "./listen.mjs";

/** A proxy to the edge at a local port. Files whose path matches `proxy.path` are cut; none while it is undefined. */
export async function startTruncatingProxy(port) {
  const proxy = { path: undefined, cut: 0 };
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const there = ask({ port, host: "127.0.0.1", method, path: url, headers }, async (answer) => {
      if (!proxy.path?.test(url)) {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        return answer.pipe(response);
      }
      const whole = Buffer.concat(await Array.fromAsync(answer));
      proxy.cut += 1;
      const { "transfer-encoding": _, ...kept } = answer.headers;
      response.writeHead(answer.statusCode, { ...kept, "content-length": whole.length });
      response.write(whole.subarray(0, whole.length / 2), () => response.destroy());
    });
    there.on("error", () => response.destroy());
    request.pipe(there);
  });
  const at = await listen(server);
  proxy.url = `http://localhost:${at}`;
  proxy.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return proxy;
}
