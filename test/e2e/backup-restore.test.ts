/**
 * Backup and restore as docs/operating/backup.md says: the streams of a namespace one after the
 * other, under load, and put back on a server that has nothing.
 *
 * What the backup of the log has is there afterwards, and is handled once; what came after is gone,
 * and is said where somebody remembers it.
 */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent, memoryModel, memorySink, projection, type Troupe } from "@troupe/core";
import type { LogEntry } from "@troupe/core/log";
import { decodeJournalRecord, type TurnRecord } from "@troupe/core/operate";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { backUpStream, restoreStream, type StreamBackup } from "./stream-backup.ts";

const namespace = "bank";
const patience = { timeout: 50_000, interval: 500 };

const teller = agent("teller")
  .state({ sum: 0 })
  .event("counted", z.number(), ({ sum }, by) => ({ sum: sum + by }))
  .on("count", z.number(), async (ctx, by) => {
    ctx.emit.counted(await ctx.step("look", by, (input) => input));
    if (by % 3 === 0) for (const key of ["one", "two", "three"]) ctx.send(teller, key).count(1);
    if (by % 10 === 0) ctx.after(300, { id: "later" }).count(1);
    return ctx.state.sum;
  });

const counts = projection(
  "counts",
  memoryModel((): number[] => []),
).on(teller, "counted", (rows, by) => void rows.push(by));

interface Accepted {
  readonly n: number;
  readonly position: number;
}

/** Sends messages, each with an id of its own, until it is stopped. */
class Load {
  readonly accepted: Accepted[] = [];
  /** Numbers of the foreign messages that the server acknowledged. */
  readonly foreign: number[] = [];
  readonly #troupe: Troupe;
  readonly #client: NatsConnection;
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(troupe: Troupe, client: NatsConnection, first: number) {
    this.#troupe = troupe;
    this.#client = client;
    this.#running = this.#run(first);
  }

  async reaches(count: number): Promise<void> {
    await vi.waitUntil(() => this.accepted.length >= count, patience);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(first: number): Promise<void> {
    for (let n = first; !this.#stopped; n += 1) {
      const key = `k${n % 7}`;
      const { position } = await this.#troupe.send(teller, key).count(n, { id: `own-${n}` });
      this.accepted.push({ n, position });
      // A number that nobody else has.
      const foreign = 10_000_001 + n * 10;
      const payload = JSON.stringify({ count: foreign });
      const answer = await this.#client.request(`${namespace}.agent.teller.foreign`, payload);
      if (answer.json<{ readonly error?: object }>().error === undefined)
        this.foreign.push(foreign);
    }
  }
}

async function start(): Promise<NatsServer> {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  return server;
}

interface Hosting {
  readonly troupe: Troupe;
  readonly faults: Set<string>;
  readonly client: NatsConnection;
}

async function hosting({ url }: NatsServer): Promise<Hosting> {
  const troupe = await connect(url, { namespace, onFault: false });
  onTestFinished(() => troupe.close());
  const client = await dial({ servers: url });
  onTestFinished(() => client.close());
  const faults = new Set<string>();
  troupe.inspect((event) => {
    if (event.kind === "fault") faults.add(`${event.what}: ${event.failure.code}`);
  });
  await troupe.work(teller, { snapshotTurns: 5, floorIntervalMs: 50 });
  return { troupe, faults, client };
}

interface Handled {
  readonly inputs: readonly (LogEntry & { readonly kind: "input" })[];
  readonly turns: readonly TurnRecord[];
}

async function onLog(troupe: Troupe): Promise<Handled> {
  const inputs: (LogEntry & { readonly kind: "input" })[] = [];
  const turns: TurnRecord[] = [];
  for await (const entry of troupe.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "input") inputs.push(entry);
    if (entry.kind !== "turn") continue;
    const decoded = decodeJournalRecord(entry.entry.record);
    if (decoded.kind === "turn") turns.push(decoded.turn);
  }
  return { inputs, turns };
}

/** Every input has its turn, and none has two. */
async function untilHandled(troupe: Troupe): Promise<Handled> {
  return vi.waitFor(async () => {
    const found = await onLog(troupe);
    const handled = new Set(found.turns.map(({ inputPosition }) => inputPosition));
    expect(handled.size).toBe(found.turns.length);
    const unhandled = found.inputs.filter(({ input }) => !handled.has(input.position));
    expect(unhandled.length).toBe(0);
    return found;
  }, patience);
}

/** Numbers that were counted, from the events. */
function counted({ turns }: Handled): readonly number[] {
  return turns.flatMap(({ events }) => events.map(({ data }) => data as number));
}

async function restored(backups: readonly StreamBackup[]): Promise<NatsServer> {
  const server = await start();
  const nats = await dial({ servers: server.url });
  for (const backup of backups) await restoreStream(nats, backup);
  await nats.close();
  return server;
}

/** Every agent's state is the sum of what it counted. */
async function expectFolds(troupe: Troupe): Promise<void> {
  for (const key of ["one", "two", "three", "foreign", "k0", "k1", "k2", "k3", "k4", "k5", "k6"]) {
    let [sum, state] = [0, 0];
    for await (const turn of troupe.replay(teller, key)) {
      sum += turn.record.events.reduce((all, { data }) => all + (data as number), 0);
      state = turn.state.sum;
    }
    expect(state).toBe(sum);
  }
}

test.each(["is of the same backup", "is newer than the log"])(
  "a log that is restored has what its backup has, once, when the control stream %s",
  async (which) => {
    const before = await start();
    const { client, troupe } = await hosting(before);
    const sink = memorySink();
    const running = await troupe.project(counts, sink);
    const load = new Load(troupe, client, 1);
    await load.reaches(150);
    const foreignBefore = [...load.foreign];
    const ingress = await backUpStream(client, `${namespace}-ingress`);
    const control = await backUpStream(client, `${namespace}-control`);
    const log = await backUpStream(client, `${namespace}-0`);
    const last = log.state.last_seq;
    await load.reaches(load.accepted.length + 100);
    await load.stop();
    await running.caughtUp();
    await running.stop();
    const newer = await backUpStream(client, `${namespace}-control`);
    await troupe.close();
    await client.close();
    await before.kill();

    const isSame = which === "is of the same backup";
    const after = await restored([ingress, isSame ? control : newer, log]);
    const next = await hosting(after);
    const handled = await untilHandled(next.troupe);
    const own = load.accepted.filter(({ position }) => position <= last);
    const gone = load.accepted.filter(({ position }) => position > last);
    const ids = handled.inputs.map(({ input }) => input.metadata.id);
    expect(own.length).toBeGreaterThan(100);
    expect(gone.length).toBeGreaterThan(50);
    for (const { n } of own) expect(ids.filter((id) => id === `own-${n}`)).toHaveLength(1);
    for (const { n } of gone) expect(ids).not.toContain(`own-${n}`);
    // Of what foreign clients were told is stored before the backup began nothing is lost or
    // doubled.
    const foreign = counted(handled).filter((n) => n > 10_000_000);
    for (const n of foreignBefore) expect(foreign.filter((each) => each === n)).toHaveLength(1);
    expect(new Set(foreign).size).toBe(foreign.length);
    const told = [...next.faults].filter((fault) =>
      /floors: log-(went-back|made-anew)/.test(fault),
    );
    expect(told.length > 0).toBe(!isSame);
    // What was remembered beyond the backup is refused by name.
    await expect(next.troupe.project(counts, sink)).rejects.toMatchObject({
      code: "foreign-checkpoint",
    });

    const more = new Load(next.troupe, next.client, 100_001);
    await more.reaches(100);
    await more.stop();
    const end = await untilHandled(next.troupe);
    const all = new Set(end.inputs.map(({ input }) => input.metadata.id));
    for (const { n } of more.accepted) expect(all).toContain(`own-${n}`);
    const since = counted(end).filter((n) => n > 10_000_000);
    expect(new Set(since).size).toBe(since.length);
    for (const n of more.foreign) expect(since).toContain(n);
    await expectFolds(next.troupe);
  },
  120_000,
);
