/** The process that runs a projection dies in the middle of a transaction, again and again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { decodeRecord } from "@troupe/core/operate";
import type { Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import type { OpenPostgresOptions } from "@troupe/postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { localServer, noServer } from "../../packages/postgres/fixtures/local-server.ts";
import { counter, type Count, type CountRow } from "./project/counts.ts";
import {
  startProjecting,
  type ProjectProgramSettings,
} from "./project/project-program-settings.ts";

vi.setConfig({ testTimeout: 90_000 });

const namespace = "projected";
const server = await localServer();
let nats: NatsServer;
let troupe: Troupe;
let folder: string;
let counted = 0;

beforeAll(async () => {
  nats = await startNatsServer();
  troupe = await connect(nats.url, { namespace });
  await troupe.work(counter);
  folder = await mkdtemp(join(tmpdir(), "troupe-projection-"));
});
afterAll(async () => {
  await troupe?.close();
  await nats?.stop();
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("a real PostgreSQL server is there", ({ skip }) => {
  skip(server === undefined, noServer);
  expect(server?.url).toMatch(/^postgres/);
});

/**
 * Every start of PGlite takes seconds, so its process is killed less often, and the check is shown
 * to fail where a start is cheapest.
 */
const databases: readonly (readonly [string, () => OpenPostgresOptions])[] = [
  ["PGlite", () => ({ url: false, folder: join(folder, "data") })],
  ...(server === undefined ? [] : [["a server", () => ({ url: server.url })] as const]),
];

describe.each(databases)("with the model in %s", (name, database) => {
  test("the model is the fold of all events, whenever the process was killed", async () => {
    const settings = settingsOf("counts", database());
    await countMore(100);
    for (const holdAt of name === "PGlite" ? [1, 45] : [1, 7, 45, 100]) {
      await using program = await startProjecting({ ...settings, holdAt });
      await Promise.all([program.said("held"), countMore(50)]);
      await program.kill();
    }
    await using last = await startProjecting(settings);
    await countMore(10);
    expect(await last.ask("rows")).toEqual(await fold());
    await last.stop();
  });

  if (name !== databases.at(-1)?.[0]) return;

  test("the check fails when the checkpoint has a transaction of its own", async () => {
    const settings = settingsOf("sabotaged", database());
    await countMore(30);
    await using first = await startProjecting({ ...settings, holdAt: 5, isSabotaged: true });
    await first.said("held");
    await first.kill();
    await using last = await startProjecting({ ...settings, isSabotaged: true });
    const rows = (await last.ask("rows")) as readonly CountRow[];
    expect(rows).not.toEqual(await fold());
    expect(rows.length).toBeGreaterThan((await fold()).length);
    await last.stop();
  });
});

function settingsOf(name: string, database: OpenPostgresOptions): ProjectProgramSettings {
  // A server may be shared with other runs of these tests.
  return { name: `${name}_${process.pid}`, namespace, nats: nats.url, database };
}

async function countMore(messages: number): Promise<void> {
  const asks = Array.from({ length: messages }, () => {
    const n = counted++;
    return troupe.agent(counter, `key-${n % 7}`).count({ n });
  });
  await Promise.all(asks);
}

/** Folds the log into what the model must be: every count, in log order. */
async function fold(): Promise<readonly CountRow[]> {
  const rows: CountRow[] = [];
  const request = { from: 1, untilNow: true, kinds: ["turn"], types: [counter.type] } as const;
  for await (const entry of troupe.follow(request)) {
    if (entry.kind !== "turn") continue;
    for (const { data } of decodeRecord(entry.entry.record).events) {
      rows.push({ key: entry.agent.key, n: (data as Count).n });
    }
  }
  return rows;
}
