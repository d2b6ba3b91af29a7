/** Publishing of one message to the stream, answered by one acknowledgement. */
import type { DraftMessage } from "./draft-message.ts";
import { headerBlock } from "./header-block.ts";
import type { PubAck } from "./pub-ack.ts";
import type { Session } from "./session.ts";

/**
 * Resolves with the stream's answer, also a refusal. @throws LogUnavailableError, LogClosedError
 */
export function publish(session: Session, message: DraftMessage): Promise<PubAck> {
  return new Promise((resolve, reject) => {
    session.replyBox.send({
      subject: message.subject,
      payload: message.payload,
      headers: headerBlock(message.lines),
      timeoutMs: session.commitTimeoutMs,
      waiter: {
        onReply: (reply) => {
          resolve(session.readPubAck(reply.data));
          return false;
        },
        onFailure: reject,
      },
    });
  });
}
