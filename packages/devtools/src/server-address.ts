/**
 * Server addresses as people write them: with or without a scheme, and perhaps with a user and a
 * password inside.
 */

export interface ServerAddress {
  /** Without credentials, safe to show. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

/** Take the credentials out of `nats://user:password@host:4222` and `nats://token@host:4222`. */
export function serverAddress(text: string): ServerAddress {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(splitCredentials);
  const found = parts.find(({ credentials }) => credentials !== undefined)?.credentials;
  return { servers: parts.map(({ server }) => server), ...(found && credentialsOf(found)) };
}

function splitCredentials(server: string): { server: string; credentials: string | undefined } {
  const [, scheme = "", credentials, host = ""] =
    /^([a-z]+:\/\/)?(?:(.*)@)?([^@]*)$/i.exec(server) ?? [];
  return { server: scheme + host, credentials };
}

function credentialsOf(text: string): Omit<ServerAddress, "servers"> {
  const colon = text.indexOf(":");
  if (colon < 0) return { token: decodeURIComponent(text) };
  return {
    user: decodeURIComponent(text.slice(0, colon)),
    password: decodeURIComponent(text.slice(colon + 1)),
  };
}
