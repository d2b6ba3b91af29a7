/**
 * Backup and restore as `nats stream backup` and `nats stream restore` do it, over the server's
 * API: a snapshot of one stream as the server sends it, in chunks that are acknowledged.
 */
import { createInbox, type Msg } from "@nats-io/nats-core";
import type { NatsConnection } from "@nats-io/transport-node";

export interface StreamBackup {
  readonly stream: string;
  /** As the server says them; a restore gives them back. */
  readonly config: unknown;
  readonly state: { readonly last_seq: number; readonly messages: number };
  readonly chunks: readonly Uint8Array[];
}

interface ApiAnswer {
  readonly error?: { readonly description: string };
}

/** Takes the snapshot of one stream. The stream goes on meanwhile. */
export async function backUpStream(nats: NatsConnection, stream: string): Promise<StreamBackup> {
  const inbox = createInbox();
  const chunks: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  const subscription = nats.subscribe(inbox, {
    callback: (error, message: Msg) => {
      if (error !== null) return ended.reject(error);
      if (message.data.length === 0) {
        const isFailed = (message.headers?.code ?? 0) >= 400;
        return isFailed ? ended.reject(new Error(message.headers?.description)) : ended.resolve();
      }
      chunks.push(Uint8Array.from(message.data));
      message.respond();
    },
  });
  try {
    const request = { deliver_subject: inbox, no_consumers: true };
    const { config, state } = await api<StreamBackup>(nats, `SNAPSHOT.${stream}`, request);
    await ended.promise;
    return { stream, config, state, chunks };
  } finally {
    subscription.unsubscribe();
  }
}

/** Puts a stream back that is not there. */
export async function restoreStream(nats: NatsConnection, backup: StreamBackup): Promise<void> {
  const { chunks, config, state, stream } = backup;
  const { deliver_subject: target } = await api<{ readonly deliver_subject: string }>(
    nats,
    `RESTORE.${stream}`,
    { config, state },
  );
  for (const chunk of chunks) await nats.request(target, chunk, { timeout: 10_000 });
  const done = await nats.request(target, new Uint8Array(), { timeout: 60_000 });
  requireDone(done.json<ApiAnswer>(), stream);
}

async function api<Answer>(nats: NatsConnection, what: string, request: object): Promise<Answer> {
  const message = await nats.request(`$JS.API.STREAM.${what}`, JSON.stringify(request), {
    timeout: 30_000,
  });
  return requireDone(message.json<Answer & ApiAnswer>(), what);
}

function requireDone<Answer extends ApiAnswer>(answer: Answer, what: string): Answer {
  if (answer.error !== undefined) throw new Error(`${what}: ${answer.error.description}`);
  return answer;
}
