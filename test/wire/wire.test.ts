/**
 * The programs of docs/wire.md, in Python and Go, on a real server with the rights that a foreign
 * client is given (infra/nats/users.conf).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { agentNamed, type Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { programsOf } from "../snippets/programs.ts";
import { buildGo, hasProgram, preparePython } from "./foreign-tools.ts";
import { saveFiles } from "./saved-files.ts";
import { startShippedServer, type ShippedServer } from "./shipped-server.ts";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);
const timeout = 600_000;
const hasPython = await hasProgram("python3", "--version");
const hasGo = await hasProgram("go", "version");

const page = await readFile(new URL("docs/wire.md", root), "utf8");
/** The agents of the page, from where the packages of this repository are found. */
const agents = await agentsOf(page);
let folder: string;
let shipped: ShippedServer;
let operator: Troupe;
let worker: Troupe;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-wire-"));
  await saveFiles(page, folder);
  shipped = await startShippedServer();
  operator = await connect(shipped.as("operator"));
  worker = await connect(shipped.as("worker"));
  await worker.work(Object.values(agents), { timings: { joinDelayMs: 10 } });
}, timeout);
afterAll(async () => {
  await worker.close();
  await operator.close();
  await shipped[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!hasGo)("a publisher in Go", () => {
  test("is told what is stored, and what was stored already", { timeout }, async () => {
    const source = await readFile(join(folder, "publisher", "main.go"));
    const digest = createHash("sha256").update(source).digest("hex").slice(0, 16);
    const publisher = await buildGo(join(folder, "publisher"), digest);
    const publish = async (...pages: readonly string[]): Promise<string> =>
      (await run(publisher, pages, { env: environment({ RUN: "one" }), timeout })).stdout;

    expect(await publish("home", "shop")).toBe(
      "home stored: true duplicate: false\nshop stored: true duplicate: false\n",
    );
    // It was not sure, and sends again: the first two are known.
    expect(await publish("home", "shop", "till")).toBe(
      "home stored: true duplicate: true\nshop stored: true duplicate: true\n" +
        "till stored: true duplicate: false\n",
    );
    const seen = async (): Promise<unknown> =>
      operator.agent(agentNamed("visitor"), "alice")["pages"]?.({});
    await expect.poll(seen, { timeout: 20_000 }).toEqual(["home", "shop", "till"]);
  });
});

describe.skipIf(!hasPython)("in Python", () => {
  let python: string;
  beforeAll(async () => {
    python = await preparePython();
  }, timeout);
  const type = async (file: string, ...parameters: readonly string[]): Promise<string> => {
    const program = [join(folder, file), ...parameters];
    return (await run(python, program, { env: environment(), timeout })).stdout;
  };

  test("an asker gets the reply, and the refusal by its code", { timeout }, async () => {
    const printed = await type("troupe_asker.py");
    expect(printed).toMatch(/^pages: \[.*\]\nrefused: rejected .*stay a while\.\n$/);
  });

  test("an agent takes tasks, also those of one that died with its task", { timeout }, async () => {
    const desk = operator.agent(agentNamed("desk"), "words");
    for (const id of ["a", "b", "c"]) {
      await desk["offer"]?.({ id, text: `word ${id}` });
    }
    // This one never finishes: its task comes back after a tenth of a second.
    await desk["take"]?.({ forMs: 100 });
    const printed = await type("troupe_worker.py", "3");
    expect(printed.trim().split("\n").toSorted()).toEqual(["a taken", "b taken", "c taken"]);
    expect(await desk["results"]?.({})).toEqual({
      a: "WORD A",
      b: "WORD B",
      c: "WORD C",
    });
  });

  test("a client with these rights can do nothing else", { timeout }, async () => {
    const program = `
import asyncio
from troupe_asker import connect

async def main():
    refusals = []
    connection = await connect()
    async def on_error(error):
        refusals.append(str(error))
    connection._error_cb = on_error
    for subject in ["troupe.0.journal.desk.words", "troupe.control.floor.desk.0", "$JS.API.STREAM.PURGE.troupe-0"]:
        await connection.publish(subject, b"{}")
    await connection.flush()
    await asyncio.sleep(0)
    await connection.flush()
    print(len([each for each in refusals if "permissions violation" in each.lower()]))
    await connection.close()

asyncio.run(main())
`;
    await writeFile(join(folder, "hostile.py"), program);
    expect(await type("hostile.py")).toBe("3\n");
  });
});

function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { pass, servers } = shipped.as("publisher");
  return { ...process.env, ...more, NATS_URL: servers, TROUPE_PUBLISHER_PASSWORD: pass };
}

async function agentsOf(markdown: string): Promise<Readonly<Record<string, never>>> {
  const [program] = programsOf("docs/wire.md", markdown);
  const place = new URL("dist/wire/", root);
  await mkdir(place, { recursive: true });
  const file = new URL(`agents-${process.pid}.ts`, place);
  await writeFile(file, program?.code ?? "");
  return (await import(fileURLToPath(file))) as Readonly<Record<string, never>>;
}
