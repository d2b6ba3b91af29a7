/**
 * The keys of the personal data that went into an agent's state. A state that was folded with what
 * is erased now has to be folded again, and a snapshot of it is sealed with all of them.
 */
import type { KeyReference } from "../wire/sealed.ts";
import type { SubjectKeys } from "./subject-keys.ts";

export class StateReferences {
  /** By name: a subject has one key at a time. */
  readonly #byName: ReadonlyMap<string, KeyReference>;
  /** Changes of keys that were looked at. */
  #seen: number;

  constructor(byName: ReadonlyMap<string, KeyReference>, seen: number) {
    this.#byName = byName;
    this.#seen = seen;
  }

  get size(): number {
    return this.#byName.size;
  }

  get all(): Iterable<KeyReference> {
    return this.#byName.values();
  }

  /** Those whose keys changed since they were looked at last; usually none. */
  doubtful(keys: SubjectKeys): readonly KeyReference[] {
    const { changes } = keys;
    if (changes === this.#seen) return none;
    const names = keys.changedSince(this.#seen);
    if (names === undefined) return [...this.#byName.values()];
    return names.flatMap((name) => this.#byName.get(name) ?? []);
  }

  /** None of those is erased. */
  looked(keys: SubjectKeys): void {
    this.#seen = keys.changes;
  }

  /** Whether the subject's data went in under another key than this one: that one was erased. */
  hasOlder({ id, name }: KeyReference): boolean {
    const reference = this.#byName.get(name);
    return reference !== undefined && reference.id !== id;
  }

  with(added: readonly KeyReference[]): StateReferences {
    if (added.every(({ id, name }) => this.#byName.get(name)?.id === id)) return this;
    const byName = new Map(this.#byName);
    for (const each of added) byName.set(each.name, each);
    return new StateReferences(byName, this.#seen);
  }
}

const none: readonly KeyReference[] = Object.freeze([]);

/** More references than `before`, which may be none. */
export function withReferences(
  before: StateReferences | undefined,
  added: readonly KeyReference[],
  keys: SubjectKeys,
): StateReferences | undefined {
  if (added.length === 0) return before;
  const start = before ?? new StateReferences(new Map<string, KeyReference>(), keys.changes);
  return start.with(added);
}
