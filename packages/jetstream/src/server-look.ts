/**
 * A look at the program that answers at an address. The client says only that the time is up where
 * a server ended the connection after the handshake, wants TLS from the first byte on, or is none
 * at all; a look at the first bytes tells these apart. A NATS server speaks first, so nothing is
 * sent.
 */
import { createConnection, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export type ServerLook =
  | {
      readonly kind: "nats";
      /** Set when it ends connections of clients without a certificate. */
      readonly wantsCertificate: boolean;
      /** Reason why it ends the connection at once, such as `maximum connections exceeded`. */
      readonly refusal?: string | undefined;
    }
  | { readonly kind: "tls" }
  | { readonly kind: "other"; readonly says: string }
  | { readonly kind: "silent" }
  | { readonly kind: "nobody" };

/** A server that prefers TLS first speaks after 50 ms; a distant one needs its round trips. */
const patienceMs = 1000;

/** Look at one server, `nats://host:port` or `host:port`. Never throws. */
export async function lookAtServer(server: string, signal: AbortSignal): Promise<ServerLook> {
  const place = placeOf(server);
  const heard = await heardFrom(createConnection(place), signal);
  if (heard === undefined) return { kind: "nobody" };
  if (heard === "") return { kind: (await speaksTls(place, signal)) ? "tls" : "silent" };
  const info = /^INFO (\{.*\})\s*\r\n/.exec(heard)?.[1];
  if (info === undefined) return { kind: "other", says: heard.slice(0, 40) };
  const refusal = /^-ERR '(.*)'/m.exec(heard)?.[1];
  return { kind: "nats", wantsCertificate: /"tls_verify":\s*true/.test(info), refusal };
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

function placeOf(server: string): HostPort {
  const { hostname, port } = new URL(`nats://${server.replace(/^[a-z]+:\/\//i, "")}`);
  return { host: hostname.replaceAll(/[[\]]/g, ""), port: port === "" ? 4222 : Number(port) };
}

/** The first bytes; empty when none came in time, undefined when there was no connection. */
function heardFrom(socket: Socket, signal: AbortSignal): Promise<string | undefined> {
  let heard: string | undefined;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const done = (): void => {
    socket.destroy();
    resolve(heard);
  };
  socket.setTimeout(patienceMs, done);
  socket.on("connect", () => (heard = ""));
  socket.on("data", (bytes) => {
    heard = (heard ?? "") + bytes.toString("latin1");
    // A refusal follows in the next packet.
    socket.setTimeout(refusalMs);
  });
  socket.on("error", done);
  socket.on("close", done);
  signal.addEventListener("abort", done, { once: true });
  return promise;
}

const refusalMs = 100;

function speaksTls({ host, port }: HostPort, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // The owner of the certificate does not matter: nothing is sent.
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  const done = (speaks: boolean): void => {
    socket.destroy();
    resolve(speaks);
  };
  socket.setTimeout(patienceMs, () => done(false));
  socket.on("secureConnect", () => done(true));
  socket.on("error", () => done(false));
  socket.on("close", () => done(false));
  signal.addEventListener("abort", () => done(false), { once: true });
  return promise;
}
