/**
 * From where on inputs may still be needed by somebody, whoever it is.
 *
 *  UNHANDLED-1 Inputs before the first one that some type has not handled were handled by
 *     everybody. A turn that is not committed has its input there or later, and its asks lie after
 *     that; so an ask that may still be looked up is never removed (engine/turn/earlier-ask.ts).
 *  UNHANDLED-2 A dead letter names its original, which is sent again when it is redriven; a parked
 *     agent's messages wait on the log from the one on that parked it. Both have a dead letter,
 *     stored before the floor passed them; so whoever reads the dead letters after the floors finds
 *     all that concern what lies before the floors.
 *  UNHANDLED-3 A type that was registered and has no floor in a partition has handled nothing
 *              there.
 */
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Floor, Log } from "../../log/log.ts";
import { floorName } from "../../log/fitting-floors.ts";

type UnhandledLog = Pick<Log, "firstInput" | "manifest" | "manifests" | "partitions">;

/** Position of the first input that is not handled by some type; Infinity when all are. */
export async function firstUnhandled(
  log: UnhandledLog,
  floors: readonly Floor[],
): Promise<Position> {
  const own = new Map(floors.map((floor) => [floorName(floor), floor]));
  const types = new Set(
    [...floors, ...(await log.manifests({ firm: true }))].map(({ type }) => type),
  );
  let first = Infinity;
  for (let partition = 0; partition < log.partitions; partition++) {
    const places = [...types].map((type) => {
      const floor = own.get(floorName({ type, partition }));
      // One without a mark counts for nothing; a type has none before its first save (UNHANDLED-3).
      return { type, partition, position: floor?.mark === undefined ? 0 : floor.position };
    });
    const lowest = Math.min(...places.map(({ position }) => position));
    // Most partitions have nothing more, and one question says so for all types.
    const next = await log.firstInput(partition, lowest);
    if (next === undefined || next >= first) continue;
    first = Math.min(first, await firstOfTypes(log, places));
  }
  return first;
}

/** A type passes over inputs that others handle, also when nobody hosts it any more. */
async function firstOfTypes(
  log: UnhandledLog,
  places: readonly { type: string; partition: number; position: Position }[],
): Promise<Position> {
  let first = Infinity;
  for (const { partition, position, type } of places) {
    const topics = (await log.manifest(type, { firm: true }))?.topics ?? [];
    const addressed = [
      { kind: "agent", name: type } as const,
      ...topics.map((name) => ({ kind: "topic", name }) as const),
    ];
    for (const place of addressed) {
      const next = await log.firstInput(partition, position, place);
      first = Math.min(first, next ?? Infinity);
    }
  }
  return first;
}

/** First original that must stay, by address (`agent/account/alice`) and by topic. */
export type Originals = ReadonlyMap<string, Position>;

/** Messages that dead letters may send again (UNHANDLED-2). @throws LogUnavailableError */
export async function deadLetterOriginals(log: Pick<Log, "follow">): Promise<Originals> {
  const originals = new Map<string, Position>();
  const hold = (name: string, position: Position): void => {
    originals.set(name, Math.min(position, originals.get(name) ?? Infinity));
  };
  for await (const entry of log.follow({ from: 1, untilNow: true, kinds: ["dead-letter"] })) {
    if (entry.kind !== "dead-letter") continue;
    const { agent, failure, inputPosition, origin } = entry.deadLetter;
    hold(origin, inputPosition);
    const [kind = "", name = ""] = origin.split("/");
    if (kind === "topic") hold(`topic/${name}`, inputPosition);
    if (agent === undefined) continue;
    // A parked agent's later messages wait, also those of topics.
    hold(`agent/${agentName(agent)}`, inputPosition);
    if (failure.code === "agent-parked") hold("topic", inputPosition);
  }
  return originals;
}

/** Position from which on nothing of the address goes. */
export function heldFrom(originals: Originals, names: readonly string[]): Position {
  return Math.min(Infinity, ...names.map((name) => originals.get(name) ?? Infinity));
}
