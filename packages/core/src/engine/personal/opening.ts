/** Opening what is sealed: the references of a decoded value, and the value with its parts open. */
import type { JournalRecord } from "../../journal/journal-record.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import { Sealed, sealedMade } from "../../wire/sealed.ts";
import { unseal } from "./box.ts";
import type { SubjectKey } from "./subject-key.ts";
import type { KeyRing, SubjectKeys } from "./subject-keys.ts";
import { labelOf } from "./subject-keys.ts";

/**
 * Fate of a part whose key was erased: it becomes the value that was chosen for it, or it stays
 * sealed.
 */
export type OfErased = "placeholder" | "sealed";

/** The decoded value, and whether a part of it is sealed. */
export function decodedAndSealed<Value>(decode: () => Value): {
  readonly value: Value;
  readonly sealed: boolean;
} {
  const before = sealedMade();
  const value = decode();
  return { value, sealed: sealedMade() !== before };
}

/** Keys that the sealed parts of a value name. */
export function referencesIn(value: unknown): readonly KeyReference[] {
  const found: KeyReference[] = [];
  collect(value, found);
  return found;
}

function collect(value: unknown, found: KeyReference[]): void {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Sealed) found.push(...value.keys);
  else if (Array.isArray(value) || value instanceof Set) {
    for (const element of value) collect(element, found);
  } else if (value instanceof Map) {
    for (const element of value.values()) collect(element, found);
  } else if (!(value instanceof Date || value instanceof Uint8Array)) {
    for (const property of Object.values(value)) collect(property, found);
  }
}

/**
 * The value with its sealed parts open; a value without any is not copied.
 * @throws CorruptSealError
 */
export function opened(value: unknown, ring: KeyRing, ofErased: OfErased): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Sealed) return openedPart(value, ring, ofErased);
  const open = (part: unknown): unknown => opened(part, ring, ofErased);
  if (Array.isArray(value)) return changed(value, value.map(open));
  if (value instanceof Set) return new Set([...value].map(open));
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, open(each)]));
  if (value instanceof Date || value instanceof Uint8Array) return value;
  return openedProperties(value as Readonly<Record<string, unknown>>, open);
}

function openedProperties(
  value: Readonly<Record<string, unknown>>,
  open: (part: unknown) => unknown,
): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const [name, property] of Object.entries(value)) {
    const part = open(property);
    if (part === property) continue;
    copy ??= { ...value };
    // As everywhere, what is undefined is not there (VALUE-2).
    if (part === undefined) delete copy[name];
    else copy[name] = part;
  }
  return copy ?? value;
}

function changed(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  return after.some((each, index) => each !== before[index]) ? after : before;
}

function openedPart(sealed: Sealed, ring: KeyRing, ofErased: OfErased): unknown {
  const keys: SubjectKey[] = [];
  for (const reference of sealed.keys) {
    const found = ring.get(labelOf(reference));
    if (found === undefined || found === "erased") {
      return ofErased === "placeholder" ? sealed.erased : sealed;
    }
    keys.push(found);
  }
  return unseal(sealed, keys);
}

/** Open a value, if there is anything to open. @throws KeysUnavailableError, MissingKeyError */
export async function openValue(
  keys: SubjectKeys,
  value: unknown,
  ofErased: OfErased,
): Promise<unknown> {
  const references = referencesIn(value);
  if (references.length === 0) return value;
  return opened(value, await keys.learn(references), ofErased);
}

/**
 * A journal record with what is sealed in it open. Erased results of steps and replies stay sealed,
 * so that nobody takes them for results; erased parts of events become the value that was chosen
 * for them, so that a fold goes on.
 */
export function openedRecord(record: JournalRecord, ring: KeyRing): JournalRecord {
  if (record.kind === "turn") return { ...record, turn: openedTurn(record.turn, ring) };
  if (record.kind === "base") {
    const state = opened(record.base.state, ring, "sealed");
    return { ...record, base: { ...record.base, state } };
  }
  if (record.kind !== "steps") return record;
  const steps = record.steps.steps.map((step) => openedStep(step, ring));
  return { ...record, steps: { ...record.steps, steps } };
}

function openedTurn(turn: TurnRecord, ring: KeyRing): TurnRecord {
  return {
    ...turn,
    events: turn.events.map((event) => ({
      ...event,
      data: opened(event.data, ring, "placeholder"),
    })),
    reply: opened(turn.reply, ring, "sealed"),
    steps: turn.steps?.map((step) => openedStep(step, ring)),
  };
}

function openedStep<Step extends { readonly value: unknown }>(step: Step, ring: KeyRing): Step {
  return { ...step, value: opened(step.value, ring, "sealed") };
}
