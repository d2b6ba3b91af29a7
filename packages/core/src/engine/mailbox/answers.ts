/**
 * Answers and events about a turn: when it is tried again, after its commit, and again when its
 * input comes back.
 */
import { errorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { shortMessage, withRuns } from "../../journal/earlier-run.ts";
import { lateReplyOf } from "../../journal/answering.ts";
import { findReply } from "../turn/find-reply.ts";
import { stepLabel } from "../../journal/recorded-step.ts";
import { encodeReply, replyOf } from "../../journal/reply.ts";
import type { Turn } from "../turn/turn.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { MailboxHost } from "./mailbox-host.ts";

/** The turn is in the journal: reply, and say so on the inspection feed. */
export function answer(host: MailboxHost, turn: Turn, revision: Position): void {
  const { feed, log } = host;
  const { agent, deadLetter, record } = turn;
  if (record === undefined) return;
  const replyTo =
    record.answering?.later === true ? undefined : turn.delivery.input.metadata.replyTo;
  if (replyTo !== undefined) log.reply(replyTo, encodeReply(replyOf(record)));
  answerOpen(host, record);
  if (!feed.active) return;
  const { inputPosition } = record;
  feed.emit({ kind: "turn.committed", agent, record, revision });
  if (record.unusedSteps !== undefined && record.unusedSteps.length > 0) {
    const steps = record.unusedSteps.map(stepLabel);
    feed.emit({ kind: "steps.unused", agent, inputPosition, steps });
  }
  if (replyTo !== undefined)
    feed.emit({ kind: "reply.sent", agent, inputPosition, recorded: false });
  if (deadLetter !== undefined) {
    feed.emit({ kind: "dead-letter", agent, inputPosition, failure: deadLetter.failure });
  }
}

/** Answers those whose asks were left open (ANSWER-2). */
function answerOpen({ log }: MailboxHost, record: TurnRecord): void {
  const late = lateReplyOf(record);
  if (late === undefined) return;
  const payload = encodeReply(late);
  for (const replyTo of record.answering?.now?.replyTo ?? []) log.reply(replyTo, payload);
}

/** The handler failed, and is called again after a delay: its record will tell of this run. */
export function tellRetry(
  { feed, worker }: MailboxHost,
  turn: Turn,
  thrown: unknown,
  delayMs: number,
): void {
  const { agent, delivery, startedAtMs, tookMs } = turn;
  const { attempts: attempt, failedRuns = [], input } = delivery;
  const failure = errorData(thrown);
  const { code } = failure;
  const message = shortMessage(failure);
  const run = { run: attempt, code, message, startedAtMs, tookMs, delayMs, worker };
  delivery.failedRuns = withRuns(failedRuns, [run]);
  if (!feed.active) return;
  feed.emit({
    kind: "turn.retrying",
    agent,
    inputPosition: input.position,
    attempt,
    delayMs,
    failure,
  });
}

/** The journal already has it: no handler, only the recorded reply again (I4). */
export function recognise(host: MailboxHost, agent: AgentId, delivery: Delivery): void {
  const { feed } = host;
  const { metadata, position: inputPosition } = delivery.input;
  if (feed.active) feed.emit({ kind: "turn.duplicate", agent, inputPosition });
  if (metadata.replyTo === undefined) return delivery.place.done();
  replyAgain(host, agent, inputPosition, metadata.replyTo)
    .catch((thrown: unknown) => {
      feed.emit({ kind: "fault", what: "reply from the journal", failure: errorData(thrown) });
    })
    .finally(() => delivery.place.done());
}

async function replyAgain(
  { feed, log }: MailboxHost,
  agent: AgentId,
  inputPosition: Position,
  replyTo: string,
): Promise<void> {
  const reply = await findReply(log, agent, inputPosition, { firm: true });
  if (reply === undefined) return;
  log.reply(replyTo, encodeReply(reply));
  if (feed.active) feed.emit({ kind: "reply.sent", agent, inputPosition, recorded: true });
}
