/** The log as a process in trouble sees it: losses, delays and gaps on the way are decided here. */
import { LogUnavailableError, RevisionConflictError } from "@troupe/core/errors";
import type { Log, Position, TurnCommit } from "@troupe/core/log";
import type { Replica } from "../memory/replica.ts";
import type { Chance } from "./chance.ts";
import type { CommitMishap, FailingCalls } from "./fault.ts";
import { failingSaves } from "./failing-saves.ts";
import { faultyReads } from "./faulty-reads.ts";
import { overlay } from "./overlay.ts";

/** The troubles of one process; the simulation changes them while it runs. */
export interface Troubles {
  /** Announcements of this process are not heard, and it hears none. */
  isolated: boolean;
  /** Mishaps of the next commits. */
  readonly mishaps: { readonly mishap: CommitMishap; readonly lateMs: number }[];
  repliesToLose: number;
  /** Answers some of its reads. */
  replica: Replica | undefined;
  /** Number of its next calls that go wrong. */
  readonly failing: Record<FailingCalls, number>;
}

export interface FaultyLogHost {
  /** Whether whoever takes a partition now finds no floors. */
  floorsLost(): boolean;
  /** Do something later, even when the process is dead by then. */
  later(delayMs: number, action: () => void): void;
  /** Chance for each single call. */
  readonly callChance: Chance;
}

export function noTroubles(): Troubles {
  return {
    isolated: false,
    mishaps: [],
    repliesToLose: 0,
    replica: undefined,
    failing: { reads: 0, saves: 0 },
  };
}

export function faultyLog(log: Log, troubles: Troubles, host: FaultyLogHost): Log {
  const reads = faultyReads(log, troubles, host.callChance);
  return overlay(log, {
    ...reads,
    ...failingSaves(log, troubles, host.callChance),
    commit: (turns) => commit(log, troubles, host, turns),
    floors: async () => {
      const floors = (await reads.floors?.()) ?? [];
      return host.floorsLost() ? [] : floors;
    },
    announce: (presence) => {
      if (!troubles.isolated) log.announce(presence);
    },
    onPresence: (listener) =>
      log.onPresence((presence) => {
        if (!troubles.isolated) listener(presence);
      }),
    reply: (replyTo, payload) => {
      if (troubles.repliesToLose === 0) return log.reply(replyTo, payload);
      troubles.repliesToLose -= 1;
    },
  });
}

async function commit(
  log: Log,
  troubles: Troubles,
  host: FaultyLogHost,
  turns: readonly TurnCommit[],
): Promise<readonly Position[]> {
  const trouble = troubles.mishaps.shift();
  if (trouble === undefined) return log.commit(turns);
  switch (trouble.mishap) {
    case "conflict":
      throw new RevisionConflictError("Somebody else wrote first, because the simulation says so.");
    case "lost-ack":
      await log.commit(turns);
      break;
    case "late":
      host.later(trouble.lateMs, () => void log.commit(turns).catch(() => undefined));
      break;
    case "unavailable":
      break;
  }
  throw new LogUnavailableError("The log gave no answer, because the simulation says so.");
}
