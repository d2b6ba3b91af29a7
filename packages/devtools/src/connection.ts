/** Connecting as the global options say, and saying what to do when that fails. */
import { access, readFile } from "node:fs/promises";
import { LogUnavailableError } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import { connect, StreamMismatchError } from "@troupe/jetstream";
import type { ConnectOptions } from "@troupe/jetstream";
import { CommandError, UnreachableError, UsageError } from "./failure.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Run } from "./run.ts";
import { serverAddress } from "./server-address.ts";

export interface OpenOptions {
  /** Whether the command may create the namespace's streams; one that only looks does not. */
  readonly createStreams: boolean;
  /** Whether the command shows faults itself, instead of lines on the error stream. */
  readonly showsFaults?: boolean;
}

/** @throws UnreachableError, UsageError, CommandError */
export async function openTroupe(
  options: GlobalOptions,
  run: Run,
  { createStreams, showsFaults = false }: OpenOptions,
): Promise<Troupe> {
  const faults = showsFaults ? ({ onFault: false } as const) : {};
  const settings = { ...(await connectOptions(options)), createStreams, ...faults };
  try {
    const troupe = await run.interruption.orInterrupted(connect(settings));
    noteOutages(troupe, run);
    return troupe;
  } catch (error) {
    throw explained(error, options);
  }
}

/** The options of `connect`; reads the files that prove who we are. @throws UsageError */
async function connectOptions(options: GlobalOptions): Promise<ConnectOptions> {
  const address = serverAddress(options.server);
  return {
    servers: address.servers,
    namespace: options.namespace,
    name: "troupe-cli",
    user: options.user ?? address.user,
    pass: options.password ?? address.password,
    token: options.token ?? address.token,
    credsFile: await readable("--creds", options.creds),
    nkeySeed: await nkeySeed(options.nkey),
    tls: await tlsOptions(options),
    inboxPrefix: options.inboxPrefix,
    startTimeoutMs: options.connectTimeout,
  };
}

/** What the servers are called in messages; never with a password. */
export function shownServer(options: GlobalOptions): string {
  return serverAddress(options.server).servers.join(",");
}

async function tlsOptions(options: GlobalOptions): Promise<ConnectOptions["tls"]> {
  const caFile = await readable("--tls-ca", options.tlsCa);
  const certFile = await readable("--tls-cert", options.tlsCert);
  const keyFile = await readable("--tls-key", options.tlsKey);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError("--tls-cert and --tls-key belong together: give both.");
  }
  if (caFile === undefined && certFile === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
  };
}

async function nkeySeed(file: string | undefined): Promise<string | undefined> {
  const path = await readable("--nkey", file);
  if (path === undefined) return undefined;
  const seed = /^\s*(S[A-Z2-7]{50,})\s*$/m.exec(await readFile(path, "utf8"))?.[1];
  if (seed === undefined) throw new UsageError(`--nkey ${path} holds no nkey seed (SU…).`);
  return seed;
}

async function readable(flag: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    await access(file);
    return file;
  } catch (cause) {
    throw new UsageError(`${flag} ${file} cannot be read.`, { cause });
  }
}

function explained(error: unknown, options: GlobalOptions): unknown {
  const server = shownServer(options);
  if (error instanceof StreamMismatchError && error.message.includes("does not exist")) {
    return new CommandError(
      `There is no Troupe system in the namespace ${options.namespace} at ${server} yet. ` +
        "`troupe work` and `troupe publish` create it; or choose another --namespace.",
      { cause: error },
    );
  }
  if (!(error instanceof LogUnavailableError)) return error;
  const bottom = innermost(error);
  const why = bottom.message || ("code" in bottom ? String(bottom.code) : bottom.name);
  return refusal(bottom, `${server}: ${why}`) ?? unreachable(`${server} (${why})`, error);
}

/** A server is there and does not take us; undefined when the network says that none is there. */
function refusal(cause: Error, what: string): CommandError | undefined {
  if ("syscall" in cause) return undefined;
  if (/certificate|self-signed|\btls\b|\bssl\b/i.test(what)) {
    return new CommandError(
      `No secure connection to ${what}. Check --tls-ca, --tls-cert and --tls-key.`,
      { cause },
    );
  }
  if (!/authori[sz]ation|authentication/i.test(what)) return undefined;
  return new CommandError(
    `No access to ${what}. Check --user and --password, --token, --creds or --nkey.`,
    { cause },
  );
}

function unreachable(what: string, cause: Error): UnreachableError {
  return new UnreachableError(
    `No NATS server answers at ${what}. Start a local one with \`troupe dev\`, or name a running ` +
      "one with --server or TROUPE_NATS_URL.",
    { cause },
  );
}

/** The bottom of a chain of causes. */
function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}

function noteOutages(troupe: Troupe, { terminal, interruption }: Run): void {
  troupe.log.onStatus((status) => {
    if (interruption.signal.aborted || status === "closed") return;
    const text =
      status === "connected" ? "Connected again." : "The connection is lost; trying again.";
    terminal.note(terminal.paintNote("yellow", text));
  });
}
