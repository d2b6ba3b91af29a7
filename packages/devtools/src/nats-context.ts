/**
 * Contexts of the `nats` command: a file each in its configuration folder, with the servers and who
 * one is to them. Taken only when it is named, so that no command goes where nobody sent it.
 */
import { readFile, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { UsageError } from "./failure.ts";
import type { GlobalOptions } from "./global-options.ts";

type ContextOptions = Partial<Omit<GlobalOptions, "context">>;

/** Fields of a context file, as far as they are used here; a field that is not set is empty. */
type ContextFile = Readonly<Record<string, unknown>>;

/** Options that say who we are: one of them on the command line stands for all. */
const identityNames: readonly string[] = ["user", "password", "token", "creds", "nkey"];

/** Fields that would lead elsewhere if they were left out. */
const unusable: Readonly<Record<string, string>> = Object.freeze({
  nsc: "write the credentials to a file and name it in creds",
  user_jwt: "write the credentials to a file and name it in creds",
  user_seed: "write the credentials to a file and name it in creds",
  socks_proxy: "connect without the proxy",
  jetstream_domain: "name a server of that domain",
  jetstream_api_prefix: "use a user of the account that has the streams",
});

/**
 * Take what the context says that `--context` names. What stands on the command line comes before
 * it, what variables say after it. @throws UsageError
 */
export async function applyContext(program: Command): Promise<void> {
  const { context: name } = program.opts<GlobalOptions>();
  if (name === undefined) return;
  const options = contextOptions(name, await contextFile(name));
  const isTyped = (option: string): boolean => program.getOptionValueSource(option) === "cli";
  const saysWho = identityNames.some(isTyped);
  const fromFile = Object.entries(options);
  if (!saysWho && fromFile.some(([option]) => identityNames.includes(option))) {
    for (const option of identityNames) program.setOptionValue(option, undefined);
  }
  for (const [option, value] of fromFile) {
    if (isTyped(option) || (saysWho && identityNames.includes(option))) continue;
    program.setOptionValueWithSource(option, value, "config");
  }
}

/** The options that a context stands for. @throws UsageError */
function contextOptions(name: string, file: ContextFile): ContextOptions {
  for (const [field, instead] of Object.entries(unusable)) {
    if (textOf(file, field) === undefined) continue;
    throw new UsageError(
      `The NATS context ${name} has ${field}, which troupe cannot use: ${instead}.`,
    );
  }
  const found = {
    server: textOf(file, "url"),
    user: textOf(file, "user"),
    password: textOf(file, "password"),
    token: textOf(file, "token"),
    creds: pathOf(file, "creds"),
    nkey: pathOf(file, "nkey"),
    tlsCa: pathOf(file, "ca"),
    tlsCert: pathOf(file, "cert"),
    tlsKey: pathOf(file, "key"),
    tlsFirst: file["tls_first"] === true ? true : undefined,
    inboxPrefix: textOf(file, "inbox_prefix"),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function textOf(file: ContextFile, field: string): string | undefined {
  const value = file[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function pathOf(file: ContextFile, field: string): string | undefined {
  return textOf(file, field)?.replace(/^~(?=\/)/, homedir());
}

async function contextFile(name: string): Promise<ContextFile> {
  const folder = contextFolder();
  if (name !== basename(name)) throw await unknownContext(name, folder);
  const path = join(folder, `${name}.json`);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw await unknownContext(name, folder, cause);
  }
  try {
    const file: unknown = JSON.parse(text);
    if (typeof file === "object" && file !== null) return file as ContextFile;
  } catch {
    // What the parser says may show a password.
  }
  throw new UsageError(`The NATS context ${name} is no JSON object: look at ${path}.`);
}

/** As the `nats` command has it. */
function contextFolder(): string {
  const config = process.env["XDG_CONFIG_HOME"];
  const base = config === undefined || config === "" ? join(homedir(), ".config") : config;
  return join(base, "nats", "context");
}

async function unknownContext(name: string, folder: string, cause?: unknown): Promise<UsageError> {
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5));
  const known = names.length === 0 ? "there are none" : `there are: ${names.toSorted().join(", ")}`;
  return new UsageError(`There is no NATS context ${name} in ${folder}; ${known}.`, { cause });
}
