// The way to an edge that breaks off in the middle of a file: the length that was promised, and half of the bytes.
import { createServer, request as ask } from "node:http";
import { once } from "node:events";

/** A proxy to the edge at a local port. Of paths that match `half.path`, half arrives; none while it is undefined. */
export async function startHalf(port) {
  const half = { path: undefined, cut: 0 };
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const there = ask({ port, host: "127.0.0.1", method, path: url, headers }, async (answer) => {
      if (!half.path?.test(url)) {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        return answer.pipe(response);
      }
      const whole = Buffer.concat(await Array.fromAsync(answer));
      half.cut += 1;
      const { "transfer-encoding": _, ...kept } = answer.headers;
      response.writeHead(answer.statusCode, { ...kept, "content-length": whole.length });
      response.write(whole.subarray(0, whole.length / 2), () => response.destroy());
    });
    there.on("error", () => response.destroy());
    request.pipe(there);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  half.url = `http://localhost:${server.address().port}`;
  half.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return half;
}
