/** Parts that the whole log shares: the connection, the inbox, the names and the limits. */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { LogLimits } from "@troupe/core/log";

import type { AcceptWindow } from "./accept-window.ts";
import type { Faults } from "./faults.ts";
import type { Link } from "./link.ts";
import type { PubAck } from "./pub-ack.ts";
import type { PullBudget } from "./pull-budget.ts";
import type { ReadWindow } from "./read-window.ts";
import type { ReplyBox } from "./reply-box.ts";
import type { ServerTime } from "./server-time.ts";
import type { Subjects } from "./subjects.ts";

export interface Session {
  readonly link: Link;
  readonly replyBox: ReplyBox;
  readonly manager: JetStreamManager;
  readonly faults: Faults;
  readonly subjects: Subjects;
  readonly limits: LogLimits;
  readonly time: ServerTime;
  readonly readPubAck: (data: Uint8Array) => PubAck;
  /** Identity of the log when the connection was made, as `Log.end` says it. */
  readonly log: string;
  /** Identity of the log as its metadata said it last, as `Log.id` says it. */
  readonly identity: { id: string };
  /** Readable, unique per connection: the beginning of batch ids and consumer names. */
  readonly id: string;
  /** Prefix of this connection's inboxes. */
  readonly inbox: string;
  readonly commitTimeoutMs: number;
  readonly acceptTimeoutMs: number;
  readonly acceptWindow: AcceptWindow;
  readonly pullBudget: PullBudget;
  readonly readWindow: ReadWindow;
  readonly readerHeartbeatMs: number;
}
