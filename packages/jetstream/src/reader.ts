/**
 * The reader of a partition: the inputs that somebody wants of it, as cheap as the server can give
 * them.
 */
import type { Msg } from "@nats-io/nats-core";
import { inputBytes, type Reader, type ReadRequest } from "@troupe/core/log";

import type { AckSubject } from "./ack-subject.ts";
import { payloadLength } from "./header-text.ts";
import { PullReader } from "./pull-reader.ts";
import { ReaderScope, takesSeveralFilters } from "./reader-scope.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

export function readPartition(
  session: Session,
  request: ReadRequest & { readonly source: number },
  name: string,
): Reader {
  const { subjects } = session;
  const { onInput, onLost, onPassed } = request;
  const scope = new ReaderScope(subjects, request, takesSeveralFilters(session.link));
  const reader = new PullReader(session, {
    stream: subjects.stream,
    filters: () => scope.filters,
    after: request.after,
    credit: request.credit,
    creditBytes: request.creditBytes,
    bytesOf: (message) => inputBytes(payloadLength(message)),
    name,
    onLost,
    onPassed,
    onMessage: (message: Msg, delivery: AckSubject) => {
      const isOther = scope.received(message.subject, delivery.pending);
      onInput(storedInput(subjects, message.subject, message, delivery));
      if (isOther) reader.renew();
    },
  });
  return reader;
}
