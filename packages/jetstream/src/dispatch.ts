/**
 * Storing what a journal entry contains, each message by itself, while the journal ends there
 * (L12).
 *
 * The fence is checked by the server, so a message that was on its way for long stores nothing once
 * the journal has grown. There is one attempt: a second one under the same fence could store a
 * message twice.
 */
import { agentName, type InputDraft, type JournalFence, type Position } from "@troupe/core/log";

import { inputMessage, inputRules, type DraftMessage } from "./draft-message.ts";
import { headerBlock, headerLine } from "./header-block.ts";
import { commitError } from "./publish-error.ts";
import type { Session } from "./session.ts";

/** Made when their record was checked; they are stored soon. */
const kept = new WeakMap<readonly InputDraft[], readonly DraftMessage[]>();

/**
 * Checks what is to be dispatched. @throws InvalidKeyError, LogRefusedError, PayloadTooLargeError
 */
export function keepMessages(session: Session, drafts: readonly InputDraft[]): void {
  kept.set(drafts, messagesOf(session, drafts));
}

function messagesOf(session: Session, drafts: readonly InputDraft[]): readonly DraftMessage[] {
  const on = inputRules(session);
  return drafts.map((draft) => inputMessage(draft, on));
}

export function dispatch(
  session: Session,
  drafts: readonly InputDraft[],
  fence: JournalFence,
): Promise<readonly Position[]> {
  const lines = fenceLines(session, fence);
  const messages = kept.get(drafts) ?? messagesOf(session, drafts);
  const stored = messages.map((message) => store(session, message, lines, fence));
  return Promise.all(stored);
}

/** One attempt. */
function store(
  session: Session,
  { lines, payload, subject }: DraftMessage,
  fenceLine: string,
  { agent }: JournalFence,
): Promise<Position> {
  return new Promise((resolve, reject) => {
    session.replyBox.send({
      subject,
      payload,
      headers: headerBlock(lines + fenceLine),
      timeoutMs: session.commitTimeoutMs,
      waiter: {
        onReply: ({ data }) => {
          const { error, seq } = session.readPubAck(data);
          if (error === undefined) resolve(seq);
          else reject(commitError(error, agentName(agent)));
          return false;
        },
        onFailure: reject,
      },
    });
  });
}

/** The stream stores a message with these only while the journal ends at the revision. */
export function fenceLines({ subjects }: Session, { agent, revision }: JournalFence): string {
  return (
    headerLine("Nats-Expected-Last-Subject-Sequence", revision) +
    headerLine("Nats-Expected-Last-Subject-Sequence-Subject", subjects.journal(agent))
  );
}
