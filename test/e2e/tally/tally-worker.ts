/**
 * A worker process that hosts tallies and copies, with the faults that a test asks for.
 *
 * It tells its parent what happens, answers a few questions, and stops as a well-behaved program
 * does: on SIGTERM, or when its parent is gone.
 */
import { createTroupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { connectLog } from "@troupe/jetstream";

import { overlay } from "@troupe/testing";
import { amnesia } from "./amnesia.ts";
import { copyAgent, markedCopyAgent, tallyAgent } from "./tally.ts";
import type { TallyWorkerSettings } from "./tally-worker-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as TallyWorkerSettings;
const { id, namespace, url, options = {} } = settings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

const counts: Record<string, number> = {};
const held: (() => void)[] = [];
/** Up to 3 ms, so that turns of different agents overtake each other. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
const tally = tallyAgent({
  pause: settings.pausing === true ? pause : undefined,
  held: (key, { n }) => {
    tell("held", { key, n });
    return new Promise((resolve) => held.push(resolve));
  },
});
const agents: Readonly<Record<string, AgentDefinition>> = {
  tally,
  copy: settings.generation === 2 ? markedCopyAgent() : copyAgent,
};

function faulty(log: Log): Log {
  if (settings.fault === "amnesia") return amnesia(log);
  if (settings.fault !== "no replies") return log;
  return overlay(log, { reply: (replyTo) => tell("reply dropped", { replyTo }) });
}

const log = await connectLog({ servers: url, namespace, name: id });
const troupe = createTroupe(faulty(log), { name: id });
troupe.inspect((event) => {
  counts[event.kind] = (counts[event.kind] ?? 0) + 1;
  if (event.kind === "worker.stopping") tell("stopping");
  if (event.kind === "reply.sent" && event.recorded) tell("replied again");
});
const hosted = (settings.types ?? ["tally", "copy"]).flatMap((type) => agents[type] ?? []);
const worker = await troupe.work(hosted, { ...options, id });

process.on("message", (question) => {
  if (question === "let go") for (const resolve of held.splice(0)) resolve();
  if (question !== "account") return;
  tell("answer account", { answer: { holdings: worker.holdings, counts } });
});
process.once("SIGTERM", () => {
  void troupe.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
tell("ready");
