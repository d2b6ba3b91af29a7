/**
 * `npm run retention`: many turns over many agents on a real server, with a retention and without
 * one. Halfway the code changes: another shape of the state, another shape of the event.
 *
 * Prints bytes and turns a second while it runs, then looks at every agent it can: the kept part of
 * its journal folds from its base record to the state that its turns must have made. Ends with one
 * line of JSON; exits 1 when something does not hold.
 */
import { readdirSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { AgentDefinition, Troupe } from "@troupe/core";
import { agent, preferShortPauses, replay } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer } from "@troupe/jetstream/server";
import { z } from "zod";

const help = `npm run retention -- [options]

  --turns N    turns in all, 200000 unless told; the big form is 10000000
  --agents N   agents, 2000 unless told; the big form is 100000
  --keep N     turns that are kept of each agent, 20 unless told
  --check N    agents whose journals are looked at in the end, 1000 unless told
  --help       this text
`;

const booked = z.object({ amount: z.number() });

/** The same agents in three forms: keeping everything, with a retention, and with changed code. */
const first = (keep: number | undefined) => {
  const chain = agent("account").state({ sum: 0, count: 0 });
  return (keep === undefined ? chain : chain.retention({ turns: keep }))
    .event("booked", z.number(), ({ count, sum }, amount) => ({
      sum: sum + amount,
      count: count + 1,
    }))
    .on("book", z.number(), (ctx, amount) => ctx.emit.booked(amount));
};

const second = (keep: number) =>
  agent("account")
    .state(
      { total: { sum: 0, count: 0 } },
      { version: 2, migrate: { 1: (state) => ({ total: state }) } },
    )
    .retention({ turns: keep })
    .event(
      "booked",
      booked,
      ({ total: { count, sum } }, { amount }) => ({
        total: { sum: sum + amount, count: count + 1 },
      }),
      { version: 2, upcast: { 1: (amount) => ({ amount }) } },
    )
    .on("book", z.number(), (ctx, amount) => ctx.emit.booked({ amount }));

interface Sizes {
  readonly turns: number;
  readonly agents: number;
  readonly keep: number;
  readonly check: number;
}

interface Outcome {
  readonly turnsPerSecond: number;
  /** At equal parts of the way: of the stream, as the server counts them, and on the disk. */
  readonly bytes: readonly number[];
  readonly diskBytes: readonly number[];
  readonly removed: number;
  readonly wrong: readonly string[];
}

const parts = 8;

async function run(sizes: Sizes, isRetaining: boolean): Promise<Outcome> {
  await using server = await startNatsServer();
  const keep = isRetaining ? sizes.keep : undefined;
  const bytes: number[] = [];
  const diskBytes: number[] = [];
  let [removed, tookMs] = [0, 0];
  for (const half of [0, 1]) {
    await using troupe = await connect({ servers: server.url });
    const done = { turns: 0 };
    troupe.inspect((event) => {
      if (event.kind === "commit.stored") done.turns += event.turns;
      if (event.kind === "journal.truncated") removed += event.records + event.inputs;
    });
    const definition: AgentDefinition =
      half === 0 || keep === undefined ? first(keep) : second(keep);
    const collector = { settleMs: 2000, lookMs: 2000, agentsPerSecond: 5000 };
    await troupe.work(definition, { collector, residentsMax: sizes.agents });
    for (let part = 0; part < parts / 2; part++) {
      const startedMs = performance.now();
      const [from, to] = [part, part + 1].map((each) => half * (parts / 2) + each);
      const span = {
        from: (sizes.turns * (from ?? 0)) / parts,
        to: (sizes.turns * (to ?? 0)) / parts,
      };
      await book(troupe, definition, span, sizes.agents);
      const wanted = ((part + 1) * sizes.turns) / parts;
      while (done.turns < wanted) await setTimeout(5);
      tookMs += performance.now() - startedMs;
      const report = await troupe.log.storage();
      bytes.push(report.bytes);
      diskBytes.push(diskOf(server.storeDir));
      const mib = (each: number): string => `${(each / 1_048_576).toFixed(1)} MiB`;
      process.stderr.write(
        `${isRetaining ? "retention " : "everything"} ${span.to} turns, stream ${mib(report.bytes)}, disk ${mib(diskOf(server.storeDir))}, removed ${removed}\n`,
      );
    }
  }
  const wrong = isRetaining ? await check(server.url, sizes) : [];
  return {
    turnsPerSecond: Math.round((sizes.turns / tookMs) * 1000),
    bytes,
    diskBytes,
    removed,
    wrong,
  };
}

/** Turn n goes to agent n modulo agents, with the amount n. */
async function book(
  troupe: Troupe,
  definition: AgentDefinition,
  { from, to }: { readonly from: number; readonly to: number },
  agents: number,
): Promise<void> {
  const account = definition as ReturnType<typeof first>;
  let next = from;
  const send = async (): Promise<void> => {
    while (next < to) {
      const turn = next++;
      await troupe.send(account, `a-${turn % agents}`).book(turn);
    }
  };
  await Promise.all(Array.from({ length: 256 }, send));
}

/**
 * What is kept of each journal folds, from its base record on, to what its turns must have made.
 */
async function check(url: string, { agents, check: count, keep, turns }: Sizes): Promise<string[]> {
  await using troupe = await connect({ servers: url });
  const definition = second(keep);
  const wrong: string[] = [];
  for (let index = 0; index < agents; index += Math.max(1, Math.floor(agents / count))) {
    const key = `a-${index}`;
    const own = Math.floor((turns - 1 - index) / agents) + 1;
    const sum = own * index + (agents * own * (own - 1)) / 2;
    let begins = 1;
    let kept = 0;
    let state: unknown = definition.initialState;
    const onBeginning = (beginning: { readonly turn: number; readonly state: unknown }): void => {
      begins = beginning.turn;
      state = beginning.state;
    };
    for await (const turn of replay(troupe.log, definition, key, { onBeginning })) {
      kept += 1;
      state = turn.state;
    }
    const isRight = JSON.stringify(state) === JSON.stringify({ total: { sum, count: own } });
    const isWhole = begins - 1 + kept === own && kept >= Math.min(keep, own);
    if (!isRight || !isWhole)
      wrong.push(`${key}: ${JSON.stringify({ state, own, sum, begins, kept })}`);
  }
  return wrong;
}

function diskOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    const { size } = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }) ?? {
      size: 0,
    };
    return sum + size;
  }, 0);
}

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "200000" },
    agents: { type: "string", default: "2000" },
    keep: { type: "string", default: "20" },
    check: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(help);
else {
  preferShortPauses();
  const { agents, check: checked, keep, turns } = values;
  const sizes = {
    turns: Number(turns),
    agents: Number(agents),
    keep: Number(keep),
    check: Number(checked),
  };
  const everything = await run(sizes, false);
  const retention = await run(sizes, true);
  const share = retention.turnsPerSecond / everything.turnsPerSecond;
  for (const line of retention.wrong.slice(0, 10)) process.stderr.write(`${line}\n`);
  const wrong = retention.wrong.length;
  process.stdout.write(
    `${JSON.stringify({ ...sizes, share, everything, retention: { ...retention, wrong } })}\n`,
  );
  process.exitCode = wrong > 0 ? 1 : 0;
}
