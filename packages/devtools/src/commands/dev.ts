/** `troupe dev`: a local broker with its data in the project, kept until Ctrl-C. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { NatsServerStartError, startNatsServer } from "@troupe/jetstream/server";
import type { NatsServer } from "@troupe/jetstream/server";
import type { Command } from "commander";
import { openTroupe } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { addExamples } from "../help-text.ts";
import { CommandError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import type { Interruption } from "../interruption.ts";
import { portOwner } from "../port-probe.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";

interface DevOptions extends GlobalOptions {
  readonly port: number;
  readonly store?: string;
  readonly json?: boolean;
}

const portDefault = 4222;
const portMax = 65_535;
const aliveCheckMs = 500;
const projectFolder = ".troupe";

export function addDev(program: Command, run: Run): void {
  const command = program
    .command("dev")
    .summary("start a local broker and keep it")
    .description(
      "Start a local nats-server with JetStream and keep it until Ctrl-C. It listens on 127.0.0.1 " +
        `only; its data stays in ${projectFolder}/nats of the current folder, also for the next start.`,
    )
    .option(
      "--port <number>",
      "port for clients; 0 takes a free one",
      parseCount(0, portMax),
      portDefault,
    )
    .option("--store <folder>", `folder of the data (default: ${projectFolder}/nats)`)
    .option("--json", "print url, version, store, namespace and pid as one line of JSON")
    .action(async (_: unknown, self: Command) => {
      await dev(self.optsWithGlobals<DevOptions>(), run);
    });
  addExamples(command, [
    ["troupe dev", "a broker for this project"],
    ["troupe dev --port 4333 --store /tmp/broker", "a second one, with its data elsewhere"],
  ]);
}

async function dev(options: DevOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  await requireFreePort(options.port);
  const storeDir = options.store ?? (await projectStore());
  await using server = await start(options.port, storeDir, run);
  // The broker is asked for by its own address, whatever the environment says about another one.
  const connection = { server: server.url, namespace: options.namespace, connectTimeout: 10_000 };
  await using troupe = await openTroupe(connection, run, { createStreams: true });
  if (options.json === true) {
    const { pid, url, version } = server;
    terminal.print(toJson({ url, version, storeDir, namespace: options.namespace, pid }));
  } else {
    introduce(server, options, { run, partitions: troupe.log.partitions });
  }
  await untilAsked(interruption, server);
  if (options.json !== true) terminal.note("Stopping the broker; its data stays.");
}

async function requireFreePort(port: number): Promise<void> {
  const owner = port === 0 ? undefined : await portOwner(port);
  if (owner === undefined) return;
  throw new CommandError(
    owner.kind === "nats"
      ? `A NATS server (${owner.version}) listens on port ${port} already. Use it (the other ` +
          `commands find it at nats://127.0.0.1:${port}), stop it, or choose another --port.`
      : `Port ${port} is taken by another program. Choose another --port.`,
  );
}

/** The folder ignores itself, so that nobody commits a broker's data. */
async function projectStore(): Promise<string> {
  const folder = resolve(projectFolder);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ".gitignore"), "*\n");
  return join(folder, "nats");
}

async function start(port: number, storeDir: string, run: Run): Promise<NatsServer> {
  const { interruption, terminal } = run;
  try {
    return await startNatsServer({
      storeDir,
      signal: interruption.signal,
      onProgress: (message) => terminal.note(terminal.paintNote("dim", message)),
      ...(port === 0 ? {} : { port }),
    });
  } catch (error) {
    interruption.signal.throwIfAborted();
    if (!(error instanceof NatsServerStartError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

/**
 * Resolves when the end is asked for. @throws CommandError when the broker's process is gone before
 */
async function untilAsked(interruption: Interruption, { pid }: NatsServer): Promise<void> {
  let watch: NodeJS.Timeout | undefined;
  const died = new Promise<never>((_, reject) => {
    watch = setInterval(() => {
      if (isAlive(pid)) return;
      reject(new CommandError("The broker ended by itself. Start it again; its data is kept."));
    }, aliveCheckMs);
  });
  try {
    await Promise.race([interruption.requested(), died]);
  } finally {
    clearInterval(watch);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function introduce(
  server: NatsServer,
  { namespace }: DevOptions,
  { run, partitions }: { readonly run: Run; readonly partitions: number },
): void {
  const { terminal } = run;
  const bold = (text: string): string => terminal.paint("bold", text);
  const environment = neededEnvironment(server, namespace);
  const lines = [
    `${bold("Broker")}     ${server.url}  (nats-server ${server.version})`,
    `${bold("Data")}       ${shownFolder(server.storeDir)}  (kept between starts)`,
    `${bold("Namespace")}  ${namespace}  (${partitions} partitions)`,
    "",
    bold("Next, in another terminal:"),
    ...environment,
    `  troupe work ./agents.ts                          host a module's agents`,
    `  troupe ask account/alice deposit '{"amount":5}'  ask one of them`,
    `  troupe tail                                      watch everything`,
    "",
    terminal.paint("dim", "Ctrl-C stops the broker."),
  ];
  for (const line of lines) terminal.print(line);
}

function shownFolder(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith("..") ? folder : path || ".";
}

/** Environment variables that the other commands need to find this broker. */
function neededEnvironment({ port, url }: NatsServer, namespace: string): readonly string[] {
  const variables = { TROUPE_NATS_URL: process.env["TROUPE_NATS_URL"] };
  const isElsewhere = port !== portDefault || (variables.TROUPE_NATS_URL ?? url) !== url;
  return [
    ...(isElsewhere ? [`  export TROUPE_NATS_URL=${url}`] : []),
    ...(namespace === "troupe" ? [] : [`  export TROUPE_NAMESPACE=${namespace}`]),
  ];
}
