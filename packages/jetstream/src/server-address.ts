/**
 * Server addresses as people write them: with or without a scheme, several separated by commas, and
 * perhaps with credentials inside. The credentials are taken out here, before anything else sees
 * the address, so no error, log or status can show them.
 */
import { ServerAddressError } from "./errors.ts";

/** Addresses of the servers, and our identity to them. */
export interface ServerAddresses {
  /** Without credentials, safe to show. */
  readonly servers: readonly string[];
  readonly credentials?: UrlCredentials;
}

/** Credentials of `nats://user:password@host` or `nats://token@host`, percent-decoded. */
export type UrlCredentials =
  | { readonly user: string; readonly pass: string }
  | { readonly token: string };

/**
 * Take addresses apart. All of them are servers of one cluster, so credentials of one are those of
 * all.
 *
 * @throws ServerAddressError when one is no address, or when two have different credentials
 *
 * @example
 * ```ts
 * const { credentials } = serverAddresses("nats://user:secret@127.0.0.1:4222");
 * ```
 */
export function serverAddresses(given: string | readonly string[]): ServerAddresses {
  const list = typeof given === "string" ? given.split(",") : given;
  const parts = list
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(taken);
  if (parts.length === 0) throw new ServerAddressError("No server is named: give an address.");
  const servers = parts.map(({ server }) => server);
  const found = parts.flatMap(({ credentials }) => credentials ?? []);
  const [credentials] = found;
  if (credentials === undefined) return { servers };
  if (new Set(found.map((each) => JSON.stringify(each))).size > 1) {
    throw new ServerAddressError(
      `The addresses of ${servers.join(", ")} have different credentials; servers of one cluster ` +
        "take the same.",
      { details: { servers } },
    );
  }
  return { servers, credentials };
}

interface Taken {
  readonly server: string;
  readonly credentials: UrlCredentials | undefined;
}

const schemes: ReadonlySet<string> = new Set(["", "nats", "tls"]);

/** The last @ ends the credentials, so one that nobody encoded belongs to the password. */
function taken(address: string): Taken {
  const [, scheme = "", secret, host = ""] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:(.*)@)?([^@]*)$/is.exec(address) ?? [];
  const shown = scheme === "" ? host : `${scheme}://${host}`;
  if (!schemes.has(scheme.toLowerCase()) || !isHost(host)) throw noAddress(shown);
  return {
    server: shown.replace(/\/$/, ""),
    credentials: secret === undefined || secret === "" ? undefined : credentialsOf(secret, shown),
  };
}

/** A name or an IP address, perhaps a port, and nothing else. */
function isHost(host: string): boolean {
  if (/[\s\\]/.test(host) || !URL.canParse(`nats://${host}`)) return false;
  const { hash, hostname, pathname, search } = new URL(`nats://${host}`);
  return hostname !== "" && hash === "" && search === "" && (pathname === "" || pathname === "/");
}

function credentialsOf(secret: string, shown: string): UrlCredentials {
  const [user = "", ...rest] = secret.split(":");
  if (rest.length === 0) return { token: decoded(user, shown) };
  return { user: decoded(user, shown), pass: decoded(rest.join(":"), shown) };
}

/** The error of the decoder would be the cause, and nothing of the secret may be in it. */
function decoded(text: string, shown: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServerAddressError(
      `The credentials in the address of ${shown} are not percent-encoded: write % as %25, @ as ` +
        "%40, : as %3A and / as %2F.",
      { details: { server: shown } },
    );
  }
}

function noAddress(shown: string): ServerAddressError {
  return new ServerAddressError(
    `${JSON.stringify(shown)} is no address of a NATS server: write nats://host:4222 or ` +
      "tls://host:4222, several separated by commas.",
    { details: { server: shown } },
  );
}
