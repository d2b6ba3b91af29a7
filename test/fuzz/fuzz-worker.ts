/**
 * The worker that is fuzzed: a process of its own, so that its death and its memory can be seen.
 * It stops on SIGTERM, or when its parent is gone.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { connect, type ConnectOptions } from "@troupe/jetstream";

import { neighbour, target } from "./fuzz-agents.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const settings = JSON.parse(process.argv[2] ?? "{}") as ConnectOptions;
const troupe = await connect({ ...settings, onFault: false });
const faults = new Map<string, number>();
troupe.inspect((event) => {
  if (event.kind !== "fault") return;
  const told = `${event.what}: ${event.failure.code}`;
  faults.set(told, (faults.get(told) ?? 0) + 1);
});
await troupe.work([target, neighbour], {
  retry: { attemptsMax: 1 },
  activationsMax: 2000,
  floorIntervalMs: 50,
  timings: { joinDelayMs: 10 },
});

const answers: Readonly<Record<string, () => unknown>> = {
  heapBytes: () => {
    collect();
    return process.memoryUsage().heapUsed;
  },
  faults: () => [...faults],
};

process.on("message", (question: string) => {
  process.send?.({ kind: `answer ${question}`, answer: answers[question]?.() });
});
process.once("SIGTERM", () => {
  void troupe.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
