/** Whether an id that the log knows stands for the message that was to be stored. */
import type { Clock } from "../clock/clock.ts";
import { LogUnavailableError } from "../errors/log-errors.ts";
import { IdTakenError } from "../errors/message-errors.ts";
import type { Input, InputDraft, Position } from "../definition/message/input.ts";
import type { Log } from "../log/log.ts";
import { backoffMs } from "../definition/retry-policy.ts";
import { opened, referencesIn } from "../engine/personal/opening.ts";
import type { KeyRing } from "../engine/personal/subject-keys.ts";
import { subjectKeys } from "../engine/personal/subject-keys.ts";
import { canonicalBytes } from "../wire/canonical.ts";
import { decodePayload } from "../wire/payload.ts";

export interface SameMessageHost {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborts once nobody wants to know any more. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Requires that the message of this id at that position, because of which nothing was stored, is
 * the same one. Like the log's `accept`, which comes before it, it tries again while the log gives
 * no answer. @throws IdTakenError when that is another message
 */
export async function requireSameMessage(
  host: SameMessageHost,
  draft: InputDraft,
  position: Position,
): Promise<void> {
  const there = await inputAt(host, position);
  // A message that was removed since cannot be compared, and was the one or the other.
  if (there === undefined || (await isSame(host.log, draft, there))) return;
  const { kind, name, key } = draft.address;
  const { id } = draft.metadata;
  throw new IdTakenError(
    `The id ${id} stands for another message to ${kind} ${name}/${key}, at ${position}; nothing was stored. Give every message an id of its own.`,
    { details: { id, position, address: draft.address } },
  );
}

async function inputAt(host: SameMessageHost, position: Position): Promise<Input | undefined> {
  const { clock, log, signal } = host;
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.input(position, { firm: true });
    } catch (thrown) {
      const again = thrown instanceof LogUnavailableError && attempt < attemptsMax;
      if (!again || signal?.aborted === true) throw thrown;
    }
    const delayMs = backoffMs(pauses, attempt, () => 1);
    await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
  }
}

/** More than half a minute. */
const attemptsMax = 40;
const pauses = Object.freeze({ delayMs: 50, delayMsMax: 1000 });

async function isSame(log: Log, draft: InputDraft, there: Input): Promise<boolean> {
  const { address, metadata, payload } = draft;
  if (address.kind !== there.address.kind || address.name !== there.address.name) return false;
  if (address.key !== there.address.key || metadata.message !== there.metadata.message)
    return false;
  if (Buffer.compare(payload, there.payload) === 0) return true;
  const sealed = [contentOf(draft), contentOf(there)];
  const references = referencesIn(sealed);
  const ring = references.length === 0 ? noKeys : await subjectKeys(log).learn(references);
  // A message that was erased since cannot be compared either.
  if ([...ring.values()].includes("erased")) return true;
  const [given, stored] = sealed.map((content) => canonicalBytes(opened(content, ring, "sealed")));
  return Buffer.compare(given ?? payload, stored ?? there.payload) === 0;
}

const noKeys: KeyRing = new Map<string, never>();

function contentOf({ metadata, payload }: Pick<Input, "metadata" | "payload">): unknown {
  try {
    return decodePayload(payload, metadata.contentType);
  } catch {
    return payload;
  }
}
