/**
 * Timers as message schedules of the server.
 *
 * A timer lies under `<ns>.<partition>.timer.<type>.<key>.<id>.<setting>` until it fires; the
 * server then stores its message under the target's input subject and purges the schedule in the
 * same moment.
 *
 *  TIMER-1 Every setting has a subject of its own. A firing purges the subject it comes from, so on
 *     a common one a firing that is on its way would take the timer away that has just replaced it.
 *  TIMER-2 So the setting that a change ends must be looked up. The stream's leader is asked,
 *     before the commit; its answer holds at the commit, because only the agent's own turns change
 *     its timers, and the expected revision lets the turn in only if there was none in between
 *     (I5).
 *  TIMER-3 A schedule is purged by a header of another message: the setting that replaces it, the
 *     turn's record, or, when a turn cancels several, a marker that says so. So it is in the
 *     commit's batch, and as atomic (I3).
 *  TIMER-4 Of several changes of one timer in a commit only the last is made: the server takes one
 *     per subject and batch, and nobody sees the others in between.
 */
import { LogRefusedError } from "@troupe/core/errors";
import {
  agentName,
  keyToToken,
  type SetTimer,
  type TimerChange,
  type TurnCommit,
} from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { inputMessage, type DraftMessage, type InputRules } from "./draft-message.ts";
import { headerLine } from "./header-block.ts";
import type { Session } from "./session.ts";

const messageNotFound = 10037;

/** Messages on the stream for one turn's changes of timers. */
export interface TimerMessages {
  /** Header lines for the turn's record. */
  readonly recordLines: string;
  readonly messages: readonly DraftMessage[];
}

/** A change that counts, with the schedule it ends. */
interface CountingChange {
  readonly turn: TurnCommit;
  readonly change: TimerChange;
  readonly subject: string;
  readonly ended: string | undefined;
}

/** The messages for the turns that change timers. @throws LogUnavailableError, LogRefusedError */
export async function timerMessages(
  session: Session,
  turns: readonly TurnCommit[],
  on: InputRules,
): Promise<ReadonlyMap<TurnCommit, TimerMessages>> {
  const counting = await Promise.all(
    lastChanges(session, turns).map(async (last): Promise<CountingChange> => {
      const isNew = last.change.kind === "set" && last.change.isNew === true;
      return { ...last, ended: isNew ? undefined : await settingOf(session, last.subject) };
    }),
  );
  const byTurn = Map.groupBy(counting, ({ turn }) => turn);
  return new Map([...byTurn].map(([turn, changes]) => [turn, messagesOf(session, changes, on)]));
}

/** TIMER-4 */
function lastChanges(
  { subjects }: Session,
  turns: readonly TurnCommit[],
): readonly Omit<CountingChange, "ended">[] {
  const last = new Map<string, Omit<CountingChange, "ended">>();
  for (const turn of turns) {
    for (const change of turn.timers ?? []) {
      const subject = subjects.timer(turn.agent, change.id);
      last.set(subject, { turn, change, subject });
    }
  }
  return [...last.values()];
}

/** The subject of the timer's current setting, if it is set (TIMER-2). */
async function settingOf(session: Session, timer: string): Promise<string | undefined> {
  const { stream } = session.subjects;
  try {
    const answer = await apiRequest<{ readonly message: { readonly subject: string } }>(
      session,
      `STREAM.MSG.GET.${stream}`,
      { last_by_subj: `${timer}.*` },
    );
    return answer.message.subject;
  } catch (error) {
    if (error instanceof LogRefusedError && error.details["serverCode"] === messageNotFound) {
      return undefined;
    }
    throw error;
  }
}

/** TIMER-3 */
function messagesOf(
  session: Session,
  changes: readonly CountingChange[],
  on: InputRules,
): TimerMessages {
  let recordLines = "";
  const messages: DraftMessage[] = [];
  for (const { turn, change, subject, ended } of changes) {
    const purge = ended === undefined ? "" : purgeLines(ended);
    if (change.kind === "set") {
      const name = `${agentName(turn.agent)}/${change.id}`;
      messages.push(scheduleMessage(name, subject, change, purge, on));
    } else if (recordLines === "") recordLines = purge;
    else if (purge !== "") {
      const marker = session.subjects.cancelled(turn.agent, change.id);
      messages.push({ subject: marker, lines: purge, payload: markerByte });
    }
  }
  return { recordLines, messages };
}

/** No message of the stream is empty: an empty one would end a batch of direct gets. */
const markerByte = Uint8Array.of(1);

function scheduleMessage(
  name: string,
  subject: string,
  { message, time }: SetTimer,
  purge: string,
  on: InputRules,
): DraftMessage {
  const { id } = message.metadata;
  if (id === undefined) {
    throw new LogRefusedError(`The message of the timer ${name} has no id; nothing was stored.`);
  }
  const input = inputMessage(message, on);
  const schedule =
    "atMs" in time ? `@at ${new Date(time.atMs).toISOString()}` : `@every ${time.everyMs}ms`;
  const lines =
    headerLine("Nats-Schedule", schedule) +
    headerLine("Nats-Schedule-Target", input.subject) +
    purge +
    input.lines;
  return { subject: `${subject}.${keyToToken(id)}`, lines, payload: input.payload };
}

function purgeLines(subject: string): string {
  return headerLine("Nats-Schedule-Next", "purge") + headerLine("Nats-Scheduler", subject);
}
