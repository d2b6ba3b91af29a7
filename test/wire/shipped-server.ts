/**
 * A server with the users of infra/nats/users.conf, word for word: their names and their rights.
 */
import { readFile } from "node:fs/promises";

import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";

const usersFile = new URL("../../infra/nats/users.conf", import.meta.url);

/** What `connect` needs to be one of the users. */
export interface UserOptions {
  readonly servers: string;
  readonly user: string;
  readonly pass: string;
  readonly inboxPrefix: string;
}

export interface ShippedServer extends AsyncDisposable {
  readonly server: NatsServer;
  as(user: string): UserOptions;
}

export async function startShippedServer(): Promise<ShippedServer> {
  const users = await readFile(usersFile, "utf8");
  const named = users.replaceAll(/\$TROUPE_(\w+)_PASSWORD/g, (_, role: string) => passwordOf(role));
  const server = await startNatsServer({ extraConfig: [named] });
  return {
    server,
    as: (user) => ({
      servers: server.url,
      user,
      pass: passwordOf(user),
      inboxPrefix: `_INBOX.${user}`,
    }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const passwordOf = (user: string): string => `password-of-${user.toLowerCase()}`;
