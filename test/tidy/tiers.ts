/**
 * The tiers of core: definition → journal → log → engine → client, each importing downwards only.
 *
 * The order of rooms (the folders that hold files) is one list, so no two of them need each other.
 * An import of a type counts like any other: who has to understand one of two files that need each
 * other has to understand both.
 */
import { posix } from "node:path";
import { isTest, type Rule } from "./rule.ts";

/** From the bottom to the top; a room may import itself and what stands before it. */
const rooms: readonly string[] = [
  // What every tier needs.
  "errors",
  "clock",
  "wire",
  // What users declare, and what travels between agents.
  "definition/message",
  "definition",
  "definition/pipeline",
  // What stands in the records of a journal.
  "journal",
  // The port, and what is built on it alone.
  "log",
  "log/archive",
  // What a worker runs: first what its parts share, at last itself.
  "engine/inspection",
  "engine/personal",
  "engine/limit",
  "engine/runtime",
  "engine/turn",
  "engine/history",
  "engine/commit",
  "engine/mailbox",
  "engine/intake",
  "engine/ownership",
  "engine/retention",
  "engine/erasure",
  "engine/worker",
  // What a program does with it all.
  "client/projection",
  "client",
  "client/operate",
  // What the package exports.
  "doors",
];

const source = "packages/core/src/";
const specifier = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

function roomOf(path: string): string {
  return posix.dirname(path).slice(source.length);
}

export const downwardsOnly: Rule = {
  says: "a room of core imports only what stands below it, types included",
  breaches: ({ path, text }) => {
    const isInRoom = path.startsWith(source) && path.slice(source.length).includes("/");
    if (!isInRoom || !path.endsWith(".ts") || isTest(path)) return [];
    const room = roomOf(path);
    const height = rooms.indexOf(room);
    if (height < 0) return [`${room} has no place in the order of rooms`];
    return [...text.matchAll(specifier)]
      .map(([, target = ""]) => posix.join(posix.dirname(path), target))
      .filter((target) => rooms.indexOf(roomOf(target)) > height)
      .map((target) => `${room} stands below ${roomOf(target)}: ${target}`);
  },
  broken: [
    {
      path: "packages/core/src/engine/turn/turn.ts",
      text: 'import type { Mailbox } from "../mailbox/mailbox.ts";\n',
    },
    {
      path: "packages/core/src/journal/turn-record.ts",
      text: 'import type { Log } from "../log/log.ts";\n',
    },
    {
      path: "packages/core/src/definition/message/input.ts",
      text: 'export type { Agent } from "../agent.ts";\n',
    },
    {
      path: "packages/core/src/engine/worker/worker.ts",
      text: 'const { Troupe } = await import("../../client/troupe.ts");\n',
    },
    { path: "packages/core/src/engine/elsewhere/part.ts", text: "" },
  ],
};
