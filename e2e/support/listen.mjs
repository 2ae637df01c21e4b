// Starts the servers of the tests.
import { once } from "node:events";

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
