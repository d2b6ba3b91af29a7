/** Connecting as the global options say, and saying what to do when that fails. */
import { access, readFile } from "node:fs/promises";
import { LogUnavailableError } from "@troupe/core/errors";
import type { Troupe } from "@troupe/core";
import {
  AccessDeniedError,
  connect,
  InsecureConnectionError,
  ServerAddressError,
  serverAddresses,
  StreamMismatchError,
} from "@troupe/jetstream";
import type { ConnectOptions } from "@troupe/jetstream";
import { archiveStore } from "./archive-place.ts";
import { CommandError, UnreachableError, UsageError } from "./failure.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Run } from "./run.ts";

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
export async function connectOptions(options: GlobalOptions): Promise<ConnectOptions> {
  return {
    servers: options.server,
    namespace: options.namespace,
    name: "troupe-cli",
    user: options.user,
    pass: options.password,
    token: options.token,
    credsFile: await readable("--creds", options.creds),
    nkeySeed: await nkeySeed(options.nkey),
    tls: await tlsOptions(options),
    inboxPrefix: options.inboxPrefix,
    startTimeoutMs: options.connectTimeout,
    archive: options.archive === undefined ? undefined : archiveStore(options.archive),
  };
}

/** Name of the servers in messages; never with a password. */
export function shownServer(options: GlobalOptions): string {
  return serverAddresses(options.server).servers.join(",");
}

async function tlsOptions(options: GlobalOptions): Promise<ConnectOptions["tls"]> {
  const caFile = await readable("--tls-ca", options.tlsCa);
  const certFile = await readable("--tls-cert", options.tlsCert);
  const keyFile = await readable("--tls-key", options.tlsKey);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError("--tls-cert and --tls-key belong together: give both.");
  }
  const isFirst = options.tlsFirst === true;
  if (caFile === undefined && certFile === undefined && !isFirst) return undefined;
  return {
    ...(isFirst ? { handshakeFirst: true } : {}),
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

/** The same failure in the words of the command line. */
export function explained(error: unknown, options: GlobalOptions): unknown {
  if (error instanceof ServerAddressError) {
    return new UsageError(`--server: ${error.message}`, { cause: error });
  }
  const server = shownServer(options);
  if (error instanceof StreamMismatchError && error.message.includes("does not exist")) {
    return new CommandError(
      `There is no Troupe system in the namespace ${options.namespace} at ${server} yet. ` +
        "`troupe work` and `troupe publish` create it; or choose another --namespace.",
      { cause: error },
    );
  }
  const why = innermost(error);
  if (error instanceof InsecureConnectionError) {
    const what =
      error.cause === undefined ? error.message : `No secure connection to ${server}: ${why}.`;
    return new CommandError(`${what} Check --tls-ca, --tls-cert, --tls-key and --tls-first.`, {
      cause: error,
    });
  }
  if (error instanceof AccessDeniedError && "servers" in error.details) {
    return new CommandError(
      `No access to ${server}: ${why}. Check --user and --password, --token, --creds or --nkey.`,
      { cause: error },
    );
  }
  const isAbsent = error instanceof LogUnavailableError && "servers" in error.details;
  return isAbsent ? unreachable(`${server} (${why})`, error) : error;
}

function unreachable(what: string, cause: Error): UnreachableError {
  return new UnreachableError(
    `No NATS server answers at ${what}. Start a local one with \`troupe dev\`, or name a running ` +
      "one with --server or TROUPE_NATS_URL.",
    { cause },
  );
}

/** Message of the innermost cause. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return innermost(error.cause);
  return error.message || ("code" in error ? String(error.code) : error.name);
}

function noteOutages(troupe: Troupe, { terminal, interruption }: Run): void {
  troupe.log.onStatus((status) => {
    if (interruption.signal.aborted || status === "closed") return;
    const text =
      status === "connected" ? "Connected again." : "The connection is lost; trying again.";
    terminal.note(terminal.paintNote("yellow", text));
  });
}
