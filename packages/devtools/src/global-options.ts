/** The options every command takes: which server, which namespace, and how to prove who we are. */
import { Option } from "commander";
import type { Command } from "commander";
import { durationOption } from "./duration.ts";

export interface GlobalOptions {
  readonly server: string;
  readonly namespace: string;
  /** A context of the `nats` command, whose options stand in the others by then. */
  readonly context?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsFirst?: boolean;
  readonly inboxPrefix?: string;
  readonly archive?: string;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/** Declare them on the program; they are recognised before and after a command's name. */
export function addGlobalOptions(program: Command): Command {
  const options = [
    option("-s, --server <url>", "NATS servers, separated by commas", "TROUPE_NATS_URL").default(
      "nats://127.0.0.1:4222",
    ),
    option("-n, --namespace <name>", "prefix of subjects and streams", "TROUPE_NAMESPACE").default(
      "troupe",
    ),
    option("--context <name>", "context of the nats command", "TROUPE_NATS_CONTEXT"),
    option("--creds <file>", "credentials file (JWT and seed)", "TROUPE_NATS_CREDS"),
    option("--nkey <file>", "file with an nkey seed", "TROUPE_NATS_NKEY"),
    option("--user <name>", "user name", "TROUPE_NATS_USER"),
    option(
      "--password <text>",
      "password; the variable keeps it out of ps",
      "TROUPE_NATS_PASSWORD",
    ),
    option("--token <text>", "token; the variable keeps it out of ps", "TROUPE_NATS_TOKEN"),
    option("--tls-ca <file>", "certificate authority of the server", "TROUPE_NATS_TLS_CA"),
    option("--tls-cert <file>", "client certificate", "TROUPE_NATS_TLS_CERT"),
    option("--tls-key <file>", "key of the client certificate", "TROUPE_NATS_TLS_KEY"),
    option("--tls-first", "TLS from the first byte on", "TROUPE_NATS_TLS_FIRST"),
    option("--inbox-prefix <subject>", "where replies go", "TROUPE_NATS_INBOX_PREFIX"),
    option("--archive <place>", "where what is truncated is kept", "TROUPE_ARCHIVE"),
    durationOption("--connect-timeout", "longest wait for a server", "3s").env(
      "TROUPE_CONNECT_TIMEOUT",
    ),
  ];
  for (const each of options) program.addOption(each);
  return program;
}

function option(flags: string, description: string, variable: string): Option {
  const made = new Option(flags, description);
  // An empty variable is how a shell leaves one out.
  return process.env[variable] === "" ? made : made.env(variable);
}
