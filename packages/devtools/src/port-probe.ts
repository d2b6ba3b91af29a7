/** Finds out who listens on a local port: a NATS server says so in its first line. */
import { connect } from "node:net";

const patienceMs = 1000;

/** The listener that was found; undefined when nobody listens. */
export type PortOwner =
  | { readonly kind: "nats"; readonly version: string }
  | { readonly kind: "other" }
  | undefined;

export function portOwner(port: number): Promise<PortOwner> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const settle = (owner: PortOwner): void => {
      socket.destroy();
      resolve(owner);
    };
    socket.setTimeout(patienceMs, () => settle({ kind: "other" }));
    socket.once("error", () => settle(undefined));
    socket.once("data", (data) => {
      const text = data.toString("utf8");
      const version = /"version":"([^"]+)"/.exec(text)?.[1] ?? "of an unknown version";
      settle(text.startsWith("INFO ") ? { kind: "nats", version } : { kind: "other" });
    });
  });
}
