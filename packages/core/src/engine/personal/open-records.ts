/** Reading journal records with their personal data, a page at a time. */
import type { JournalRecord } from "../../journal/journal-record.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import type { Log } from "../../log/log.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import { decodedAndSealed, openedRecord, referencesIn } from "./opening.ts";
import type { KeyRing } from "./subject-keys.ts";
import { labelOf, subjectKeys } from "./subject-keys.ts";

export interface OpenRecord<Entry> {
  readonly entry: Entry;
  readonly record: JournalRecord;
  /** Keys with which something in its events was opened. */
  readonly references: readonly KeyReference[];
  /** Changes of keys that had been heard of when they were read. */
  readonly changes: number;
}

/**
 * The records of a page, decoded and open. Asks the key store only for what is sealed, and once for
 * the whole page.
 *
 * @throws UndecodablePayloadError, KeysUnavailableError, MissingKeyError, CorruptSealError
 */
export async function openRecords<Entry extends { readonly record: Uint8Array }>(
  log: Log,
  page: readonly Entry[],
): Promise<readonly OpenRecord<Entry>[]> {
  const { sealed, value } = decodedAndSealed(() =>
    page.map((entry) => ({
      entry,
      record: decodeJournalRecord(entry.record),
      references: none,
      changes: 0,
    })),
  );
  if (!sealed) return value;
  const keys = subjectKeys(log);
  const { changes } = keys;
  const ring = await keys.learn(referencesIn(value.map(({ record }) => record)));
  return value.map(({ entry, record }) => ({
    entry,
    record: openedRecord(record, ring),
    references: openedIn(stateful(record), ring),
    changes,
  }));
}

/**
 * Opens a record that has sealed parts. @throws KeysUnavailableError, MissingKeyError,
 * CorruptSealError
 */
export async function openRecord(log: Log, record: JournalRecord): Promise<JournalRecord> {
  return openedRecord(record, await subjectKeys(log).learn(referencesIn(record)));
}

const none: readonly KeyReference[] = Object.freeze([]);

/** The part of a record that goes into the state. */
function stateful(record: JournalRecord): unknown {
  if (record.kind === "base") return record.base.state;
  return record.kind === "turn" ? record.turn.events : undefined;
}

function openedIn(value: unknown, ring: KeyRing): readonly KeyReference[] {
  return referencesIn(value).filter((each) => ring.get(labelOf(each)) !== "erased");
}
