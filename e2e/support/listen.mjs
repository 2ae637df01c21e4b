// Starts the servers of the tests.
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Has a server listen on a free port, which is returned. Idle connections stay open: a client that uses one again at the
 * moment when the server closes it would see a failure that no test means.
 */
export async function listen(server) {
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** A port on which nothing listens now, for a program that opens it itself. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
