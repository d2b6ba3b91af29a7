/**
 * The cost of a turn: CPU of the worker's process and of the broker, bytes on the wire and in the
 * stream. Wire and stream count what happens after the message is stored: reading it, the record,
 * the reply, and what keeps the reader going.
 */
import type { Bench, Benchmark } from "./benchmark.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { match } from "./measure.ts";
import { raceRaw, raceTroupe } from "./turn-race.ts";
import type { TurnFigures } from "./turn-race.ts";

export const cost: Benchmark = {
  name: "cost",
  what: "CPU and bytes per turn, of the worker's process and of the broker.",
  parts: [{ rows: "cost", run: perTurn }],
};

const disciplines: Readonly<Record<Exclude<keyof TurnFigures, "turnsPerSecond">, Discipline>> = {
  processCpuUs: { name: "cost-process-cpu", unit: "µs", better: "less" },
  brokerCpuUs: { name: "cost-broker-cpu", unit: "µs", better: "less" },
  wireBytes: { name: "cost-wire", unit: "B", better: "less" },
  storedBytes: { name: "cost-stored", unit: "B", better: "less" },
};

function perTurn({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const race = { turns: quick ? 20_000 : 60_000, progress };
  return match({
    versus: "raw loop: atomic batches, ack per message; all figures per turn",
    rounds: quick ? 2 : 3,
    disciplines,
    ours: () => raceTroupe(stage, race),
    theirs: () => raceRaw(stage, race, "batches"),
  });
}
