/**
 * `npm run retention`: many turns over many agents on a real server, with a retention and without
 * one, part by part in turns, so that a machine that others use slows both alike. Halfway the code
 * changes: another shape of the state, another shape of the event.
 *
 * Prints bytes and turns a second while it runs, then looks at every agent it can: the kept part of
 * its journal folds from its base record to the state that its turns must have made, and with an
 * archive to what folds from the first turn on. Ends with one line of JSON; exits 1 when something
 * does not hold. Timings decide nothing.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import { agent, preferShortPauses } from "@troupe/core";
import { directoryStore, type ArchiveStore } from "@troupe/core/archive";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { z } from "zod";

const help = `npm run retention -- [options]

  --turns N    turns in all, 200000 unless told; the big form is 10000000
  --agents N   agents, 2000 unless told; the big form is 100000
  --keep N     turns that are kept of each agent, 20 unless told
  --check N    agents whose journals are looked at in the end, 1000 unless told
  --parts N    parts in which both are measured in turns, 8 unless told; even
  --archive    archive what goes, and compare with folds from the first turn on
  --alone      only with the retention
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
  readonly parts: number;
}

/** Time limit for the removal of the rest in the end, in milliseconds. */
const restMs = 60_000;

/** A side of the comparison, with its own server. */
class Side {
  readonly name: string;
  readonly bytes: number[] = [];
  readonly diskBytes: number[] = [];
  readonly turnsPerSecond: number[] = [];
  readonly cpuUs: number[] = [];
  removed = 0;
  readonly #server: NatsServer;
  readonly #sizes: Sizes;
  readonly #keep: number | undefined;
  readonly #archive: ArchiveStore | undefined;
  #troupe: Troupe | undefined;
  #done = 0;

  constructor(
    server: NatsServer,
    sizes: Sizes,
    retention: { readonly keep?: number; readonly archive?: ArchiveStore | undefined },
  ) {
    this.#server = server;
    this.#sizes = sizes;
    this.#keep = retention.keep;
    this.#archive = retention.archive;
    this.name = retention.keep === undefined ? "everything" : "retention ";
  }

  /** Whether its code changes halfway. */
  get changes(): boolean {
    return this.#keep !== undefined;
  }

  /** Begin, or go on with the changed code. */
  async work(isChanged: boolean): Promise<void> {
    await this.#troupe?.close();
    const keep = this.#keep;
    const troupe = await connect({ servers: this.#server.url, archive: this.#archive });
    this.#troupe = troupe;
    troupe.inspect((event) => {
      if (event.kind === "commit.stored") this.#done += event.turns;
      if (event.kind === "journal.truncated") this.removed += event.records + event.inputs;
      if (event.kind !== "journals.truncated") return;
      this.removed += event.records + event.inputs;
      const { inputs, records, tookMs } = event;
      say(`${this.name} by prefix: ${records} records, ${inputs} inputs, ${tookMs.toFixed(0)} ms`);
    });
    const definition: AgentDefinition =
      isChanged && keep !== undefined ? second(keep) : first(keep);
    const collector = { settleMs: 2000, lookMs: 1000, agentsPerSecond: 5000 };
    await troupe.work(definition, { collector, activationsMax: this.#sizes.agents });
  }

  async run(part: number): Promise<void> {
    const { agents, parts, turns } = this.#sizes;
    const [from, to] = [(turns * part) / parts, (turns * (part + 1)) / parts];
    const [startedMs, startedUs] = [performance.now(), this.#cpuUs()];
    const wanted = this.#done + to - from;
    await book(this.#connected, { from, to }, agents);
    while (this.#done < wanted) await setTimeout(5);
    const tookMs = performance.now() - startedMs;
    this.turnsPerSecond.push(Math.round(((to - from) / tookMs) * 1000));
    this.cpuUs.push(Math.round((this.#cpuUs() - startedUs) / (to - from)));
    const { bytes } = await this.#connected.log.storage();
    this.bytes.push(bytes);
    this.diskBytes.push(diskOf(this.#server.storeDir));
    say(
      `${this.name} ${to} turns, ${this.turnsPerSecond.at(-1)}/s, ${this.cpuUs.at(-1)} us of CPU each, stream ${mib(bytes)}, disk ${mib(this.diskBytes.at(-1) ?? 0)}, removed ${this.removed}`,
    );
  }

  /** Of this process and of the server. */
  #cpuUs(): number {
    const { system, user } = process.cpuUsage();
    return user + system + serverCpuUs(this.#server.pid);
  }

  get #connected(): Troupe {
    if (this.#troupe === undefined) throw new Error("It does not work yet.");
    return this.#troupe;
  }

  /** Waits until nothing has been removed for a while. */
  async rest(): Promise<void> {
    const endMs = performance.now() + restMs;
    for (let before = -1; before !== this.removed && performance.now() < endMs;) {
      before = this.removed;
      await setTimeout(5000);
    }
  }

  async stop(): Promise<void> {
    await this.#troupe?.close();
    this.#troupe = undefined;
  }
}

/** Number of the agent that a turn is for: as if by chance, and always the same. */
function agentOf(turn: number, agents: number): number {
  let mixed = Math.imul(turn ^ (turn >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % agents;
}

/** Turn n has the amount n. */
async function book(
  troupe: Troupe,
  { from, to }: { readonly from: number; readonly to: number },
  agents: number,
): Promise<void> {
  const account = first(undefined);
  let next = from;
  const send = async (): Promise<void> => {
    while (next < to) {
      const turn = next++;
      await troupe.send(account, `a-${agentOf(turn, agents)}`).book(turn);
    }
  };
  await Promise.all(Array.from({ length: 256 }, send));
}

/**
 * Checks that the turns kept of each journal, and those that the archive has before them, fold to
 * what must be.
 */
async function check(
  url: string,
  sizes: Sizes,
  archive: ArchiveStore | undefined,
): Promise<{ readonly wrong: readonly string[]; readonly truncated: number }> {
  const { agents, check: count, keep } = sizes;
  const states = statesOf(sizes);
  await using kept = await connect({ servers: url });
  await using whole = await connect({ servers: url, archive });
  const wrong: string[] = [];
  let truncated = 0;
  for (let index = 0; index < agents; index += Math.max(1, Math.floor(agents / count))) {
    const { count: own, sum } = states(index);
    const here = await foldOf(kept, keep, index);
    if (here.begins > 1) truncated += 1;
    const wanted = JSON.stringify({ total: { sum, count: own } });
    const isWhole = here.begins - 1 + here.turns === own && here.turns >= Math.min(keep, own);
    let isRight = JSON.stringify(here.state) === wanted && isWhole;
    if (isRight && archive !== undefined) {
      const all = await foldOf(whole, keep, index, here.begins - 1);
      const start = JSON.stringify(here.start);
      const isFromFirst = all.begins === 1 && all.turns === own;
      const isSame = JSON.stringify(all.state) === wanted && JSON.stringify(all.at) === start;
      isRight = isFromFirst && isSame;
      if (!isRight) wrong.push(`a-${index}: from the first turn ${JSON.stringify(all)}`);
    }
    if (!isRight) wrong.push(`a-${index}: ${JSON.stringify({ here, wanted })}`);
  }
  return { wrong, truncated };
}

/** States that the turns of each agent must have made. */
function statesOf({
  agents,
  turns,
}: Sizes): (index: number) => { readonly sum: number; readonly count: number } {
  const sums = new Float64Array(agents);
  const counts = new Uint32Array(agents);
  for (let turn = 0; turn < turns; turn++) {
    const index = agentOf(turn, agents);
    sums[index] = (sums[index] ?? 0) + turn;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return (index) => ({ sum: sums[index] ?? 0, count: counts[index] ?? 0 });
}

/**
 * Revision at which an agent's turns begin, with which state, and the state they fold to. @param at
 * this turn's state too
 */
async function foldOf(troupe: Troupe, keep: number, index: number, at = 0) {
  const definition = second(keep);
  const fold = { begins: 1, turns: 0, start: definition.initialState, at: definition.initialState };
  let state: unknown = fold.start;
  const onBeginning = (beginning: { readonly turn: number; readonly state: unknown }): void => {
    fold.begins = beginning.turn;
    fold.start = beginning.state;
    state = beginning.state;
  };
  for await (const turn of troupe.replay(definition, `a-${index}`, { onBeginning })) {
    fold.turns += 1;
    state = turn.state;
    if (turn.record.turn === at) fold.at = turn.state;
  }
  return { ...fold, state };
}

/** User and system time from /proc, whose unit is 10 ms on Linux; 0 elsewhere. */
function serverCpuUs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10_000;
  } catch {
    return 0;
  }
}

function diskOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    const { size = 0 } =
      statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }) ?? {};
    return sum + size;
  }, 0);
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Part by part, one after the other, with a change of the code halfway. */
async function race(sides: readonly Side[], parts: number): Promise<void> {
  for (let part = 0; part < parts; part++) {
    for (const side of sides) {
      const isChanged = part === parts / 2;
      if (part === 0 || (isChanged && side.changes)) await side.work(isChanged);
      await side.run(part);
    }
  }
}

async function main(sizes: Sizes, options: { archive: boolean; alone: boolean }): Promise<number> {
  await using plain = await startNatsServer();
  await using retaining = await startNatsServer();
  const directory = options.archive ? mkdtempSync(join(tmpdir(), "troupe-archive-")) : undefined;
  const archive = directory === undefined ? undefined : directoryStore(directory);
  const sides = [new Side(retaining, sizes, { keep: sizes.keep, archive })];
  if (!options.alone) sides.unshift(new Side(plain, sizes, {}));
  await race(sides, sizes.parts);
  await sides.at(-1)?.rest();
  for (const side of sides) await side.stop();
  const { truncated, wrong } = await check(retaining.url, sizes, archive);
  if (directory !== undefined) rmSync(directory, { recursive: true });
  for (const line of wrong.slice(0, 10)) say(line);
  const results = sides.map(({ bytes, cpuUs, diskBytes, name, removed, turnsPerSecond }) => ({
    name: name.trim(),
    turnsPerSecond: median(turnsPerSecond),
    cpuUs: median(cpuUs),
    bytes,
    diskBytes,
    removed,
  }));
  // Part by part, so that a busy moment of the machine is in both.
  const shares = sides[0]?.turnsPerSecond.map(
    (each, part) => (sides.at(-1)?.turnsPerSecond[part] ?? 0) / each,
  );
  const share = Number(median(shares ?? []).toFixed(2));
  const outcome = { ...sizes, share, results, truncated, wrong: wrong.length };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  return wrong.length > 0 ? 1 : 0;
}

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "200000" },
    agents: { type: "string", default: "2000" },
    keep: { type: "string", default: "20" },
    check: { type: "string", default: "1000" },
    parts: { type: "string", default: "8" },
    archive: { type: "boolean", default: false },
    alone: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(help);
else {
  preferShortPauses();
  const { agents, check: checked, keep, parts, turns } = values;
  const sizes = {
    turns: Number(turns),
    agents: Number(agents),
    keep: Number(keep),
    check: Number(checked),
    parts: Number(parts),
  };
  process.exitCode = await main(sizes, { archive: values.archive, alone: values.alone });
}
