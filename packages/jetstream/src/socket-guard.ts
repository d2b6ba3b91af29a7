/**
 * Keeps a late write error from ending the process.
 *
 * When a connection breaks, the client removes all listeners of its socket at once. A write that
 * was made just before fails one tick later, and an "error" event that nobody listens to is an
 * uncaught exception. The client ignores write errors anyway, and so does this listener. It reaches
 * into the client for its socket; where the client looks different, nothing is guarded.
 */
import type { EventEmitter } from "node:events";

import type { NatsConnection } from "@nats-io/nats-core";

interface ClientWithSocket {
  readonly protocol?: { readonly transport?: { readonly socket?: EventEmitter | undefined } };
}

/** Guard the socket that the connection uses now; call it again after a reconnect. */
export function guardSocket(connection: NatsConnection): EventEmitter | undefined {
  const socket = (connection as unknown as ClientWithSocket).protocol?.transport?.socket;
  if (socket === undefined) return undefined;
  const removeAll = socket.removeAllListeners.bind(socket);
  socket.removeAllListeners = (event) => {
    removeAll(event);
    socket.on("error", ignore);
    return socket;
  };
  return socket;
}

function ignore(): void {
  // The connection is gone; the link tells the callers that wait for an answer.
}
