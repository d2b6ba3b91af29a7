/**
 * Reason why connecting failed, as an error with a name. A fault that another try cannot change
 * ends it at once: credentials that are refused, certificates that do not fit, a server without
 * JetStream.
 */
import { JetStreamApiError } from "@nats-io/jetstream";
import {
  AuthorizationError,
  PermissionViolationError,
  UserAuthenticationExpiredError,
  type NatsConnection,
} from "@nats-io/nats-core";
import { TroupeError } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";

import type { NodeConnectionOptions } from "@nats-io/transport-node";

import {
  AccessDeniedError,
  InsecureConnectionError,
  ServerAddressError,
  UnsupportedServerError,
} from "./errors.ts";
import type { ServerLook } from "./server-look.ts";

/** Facts that a server tells of itself, which decide the meaning of "no JetStream". */
export interface ServerKind {
  readonly hasJetStream: boolean;
  /** Not in a cluster, where another server may have it. */
  readonly isAlone: boolean;
}

export function serverKind({ info }: NatsConnection): ServerKind {
  return { hasJetStream: info?.jetstream === true, isAlone: info?.cluster === undefined };
}

/** Error that kept us from a connection to the servers, which are shown without credentials. */
export function dialFailure(cause: unknown, servers: readonly string[]): TroupeError {
  const where = servers.join(", ");
  const details = { servers };
  const why = whyOf(innermost(cause));
  if (cause instanceof AuthorizationError || cause instanceof UserAuthenticationExpiredError) {
    const text =
      `The server at ${where} refused who we are: ${why}. Check user and pass, token, credsFile ` +
      "or nkeySeed; they may also stand in the address, percent-encoded.";
    return new AccessDeniedError(text, { cause, details });
  }
  if (why === noNatsServer && servers.length === 1) {
    const text = `What listens at ${where} is no NATS server: it does not begin as one. Check the address and its port.`;
    return new ServerAddressError(text, { cause, details });
  }
  if (isInsecure(cause, why)) {
    const text = `No secure connection to ${where}: ${why}. Check the option tls.`;
    return new InsecureConnectionError(text, { cause, details });
  }
  const text = `No connection to ${where}: ${why}. Is a NATS server running there?`;
  return new LogUnavailableError(text, { cause, details });
}

/** The client's words for a first line that is no INFO. */
const noNatsServer = "unexpected response from server";

/**
 * Fault that a look at a server found and another try does not change, or that explains the
 * silence.
 */
export function obstacleOf(
  look: ServerLook,
  server: string,
  { tls }: NodeConnectionOptions,
): TroupeError | undefined {
  const details = { servers: [server] };
  if (look.kind === "tls" && tls?.handshakeFirst !== true) {
    const text = `What listens at ${server} speaks TLS from the first byte on. If it is a NATS server with handshake_first, set the option tls to { handshakeFirst: true }.`;
    return new InsecureConnectionError(text, { details });
  }
  if (look.kind === "other") {
    const text = `What listens at ${server} is no NATS server: it begins with ${JSON.stringify(look.says)}. Check the address and its port.`;
    return new ServerAddressError(text, { details });
  }
  if (look.kind !== "nats") return undefined;
  if (look.refusal !== undefined) {
    const text = `The server at ${server} takes no connection: ${look.refusal}.`;
    return new LogUnavailableError(text, { details });
  }
  if (!look.wantsCertificate || (tls?.certFile ?? tls?.cert) !== undefined) return undefined;
  const text = `The server at ${server} wants a certificate of its clients: set certFile and keyFile in the option tls.`;
  return new InsecureConnectionError(text, { details });
}

/** Error that kept us from the streams of a namespace, once there was a connection. */
export function jetStreamFailure(
  cause: unknown,
  stream: string,
  { hasJetStream, isAlone }: ServerKind,
): TroupeError {
  if (cause instanceof TroupeError) return cause;
  const details = { stream };
  const bottom = innermost(cause);
  if (bottom instanceof PermissionViolationError) {
    const { operation, subject } = bottom;
    const verb = operation === "publish" ? "publish to" : "subscribe to";
    const text = `This user may not ${verb} ${subject}, which the stream ${stream} needs: add it to the user's permissions (docs/security.md lists what each role needs).`;
    return new AccessDeniedError(text, { cause, details: { ...details, operation, subject } });
  }
  if (bottom instanceof JetStreamApiError && bottom.code === notEnabledForAccount) {
    const text = `JetStream is not enabled for this account, so there is no stream ${stream}: enable it, or use another user.`;
    return new UnsupportedServerError(text, { cause, details });
  }
  if (isNotEnabled(cause) && !hasJetStream && isAlone) {
    const text = `The server runs without JetStream, so there is no stream ${stream}: start it with -js or a jetstream section.`;
    return new UnsupportedServerError(text, { cause, details });
  }
  if (isNotEnabled(cause) && !hasJetStream) {
    const text = `Neither the server nor another one of its cluster has JetStream that answers for the stream ${stream}: start them with -js or a jetstream section.`;
    return new LogUnavailableError(text, { cause, details });
  }
  const text = `JetStream does not answer for the stream ${stream}: ${whyOf(cause)}.`;
  return new LogUnavailableError(text, { cause, details });
}

const notEnabledForAccount = 10039;

/** The client says so when nobody answers, which a leader change is too. */
function isNotEnabled(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "JetStreamNotEnabled";
}

function isInsecure(cause: unknown, why: string): boolean {
  const bottom = innermost(cause);
  if (bottom instanceof Error && "syscall" in bottom) return false;
  return /certificate|self-signed|\btls\b|\bssl\b/i.test(why);
}

/** An aggregate of attempts has only a code. */
function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ("code" in cause ? String(cause.code) : cause.name);
}

/** The bottom of a chain of causes. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}
