/**
 * For tests: a server with the users that infra/nats/users.conf gives a namespace, so that what is
 * tested is what is shipped. Several namespaces may share one, each with users of its own.
 */
import { readFile } from "node:fs/promises";

import { startNatsServer, type NatsServer } from "./server/index.ts";

export type Role = "publisher" | "asker" | "worker" | "operator" | "eraser" | "projection";

/** Options with which `connect`, `connectLog` and the NATS client are this user. */
export interface RoleOptions {
  readonly servers: string;
  readonly user: string;
  readonly pass: string;
  readonly inboxPrefix: string;
}

export interface GuardedServer extends AsyncDisposable {
  readonly server: NatsServer;
  as(role: Role, namespace: string): RoleOptions;
}

const usersFile = new URL("../../../infra/nats/users.conf", import.meta.url);

export async function startGuardedServer(namespaces: readonly string[]): Promise<GuardedServer> {
  const text = await readFile(usersFile, "utf8");
  const accounts = text.slice(
    text.indexOf("accounts {") + "accounts {".length,
    text.lastIndexOf("}"),
  );
  const all = namespaces.map((namespace) => accountsOf(accounts, namespace)).join("\n");
  const server = await startNatsServer({ extraConfig: [`accounts {\n${all}\n}`] });
  return {
    server,
    as: (role, namespace) => ({
      servers: server.url,
      user: userName(role, namespace),
      pass: password(role),
      inboxPrefix: `_INBOX.${role}`,
    }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function accountsOf(accounts: string, namespace: string): string {
  return accounts
    .replaceAll(/\b(TROUPE|FOREIGN)\b/g, `$1_${namespace.replaceAll(/\W/g, "_")}`)
    .replaceAll(/\btroupe\./g, `${namespace}.`)
    .replaceAll(/\btroupe-/g, `${namespace.replaceAll(".", "_")}-`)
    .replaceAll(/user: (\w+)/g, (_, role: string) => `user: "${userName(role, namespace)}"`)
    .replaceAll(/\$TROUPE_(\w+)_PASSWORD/g, (_, role: string) => password(role.toLowerCase()));
}

function userName(role: string, namespace: string): string {
  return `${role}@${namespace}`;
}

function password(role: string): string {
  return `password-of-${role}`;
}
