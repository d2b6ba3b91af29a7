/**
 * The keys of the personal data that went into an agent's state. A state that was folded with what
 * is erased now has to be folded again, and a snapshot of it is sealed with all of them.
 */
import type { KeyReference } from "../../wire/sealed.ts";
import type { SubjectKeys } from "./subject-keys.ts";

/** Keys by the name of their subject. */
type ByName = ReadonlyMap<string, readonly KeyReference[]>;

export class StateReferences {
  /** A subject whose key was erased and made anew while a turn ran has two. */
  readonly #byName: ByName;
  /** Changes of keys that were looked at. */
  #seen: number;

  constructor(byName: ByName, seen: number) {
    this.#byName = byName;
    this.#seen = seen;
  }

  get size(): number {
    return this.#byName.size;
  }

  get all(): readonly KeyReference[] {
    return [...this.#byName.values()].flat();
  }

  /** References whose keys changed since they were looked at last; usually none. */
  doubtful(keys: SubjectKeys): readonly KeyReference[] {
    const { changes } = keys;
    if (changes === this.#seen) return none;
    const names = keys.changedSince(this.#seen);
    if (names === undefined) return this.all;
    return names.flatMap((name) => this.#byName.get(name) ?? none);
  }

  /** None of those is erased. @param changes how many there were before that was asked */
  looked(changes: number): void {
    this.#seen = changes;
  }

  /** Whether the subject's data went in under another key than this one: that one was erased. */
  hasOlder({ id, name }: KeyReference): boolean {
    return (this.#byName.get(name) ?? none).some((reference) => reference.id !== id);
  }

  with(added: readonly KeyReference[]): StateReferences {
    if (added.every((each) => this.#has(each))) return this;
    const byName = new Map(this.#byName);
    for (const each of added) {
      const known = byName.get(each.name) ?? none;
      if (!known.some(({ id }) => id === each.id)) byName.set(each.name, [...known, each]);
    }
    return new StateReferences(byName, this.#seen);
  }

  #has({ id, name }: KeyReference): boolean {
    return (this.#byName.get(name) ?? none).some((reference) => reference.id === id);
  }
}

const none: readonly KeyReference[] = Object.freeze([]);

/**
 * More references than `before`, which may be none. @param changes of keys that had been heard of
 * when the added ones were read: what changed since is in doubt
 */
export function withReferences(
  before: StateReferences | undefined,
  added: readonly KeyReference[],
  changes: number,
): StateReferences | undefined {
  if (added.length === 0) return before;
  const start = before ?? new StateReferences(new Map<string, never>(), changes);
  return start.with(added);
}
