/** The reader of the port: one partition, or the misfits. */
import type { Msg } from "@nats-io/nats-core";
import { inputBytes, type Reader, type ReadRequest } from "@troupe/core";

import type { Delivery } from "./delivery.ts";
import { payloadLength } from "./header-text.ts";
import { PullReader } from "./pull-reader.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

export function readPartition(
  session: Session,
  request: ReadRequest & { readonly source: number },
  name: string,
): Reader {
  const { subjects } = session;
  const { onInput, onLost } = request;
  return new PullReader(session, {
    stream: subjects.stream,
    filters: [subjects.partition(request.source)],
    after: request.after,
    credit: request.credit,
    creditBytes: request.creditBytes,
    bytesOf: (message) => inputBytes(payloadLength(message)),
    name,
    onLost,
    onMessage: (message: Msg, delivery: Delivery) => {
      onInput(storedInput(subjects, message.subject, message, delivery));
    },
  });
}
