/**
 * The keys of everybody whose data is in a state, to seal with what a turn may have made of it.
 *
 * One that was erased while the turn runs is replaced by a key that nobody keeps: data sealed with
 * it are erased from the beginning, as the note at the key says.
 */
import { randomBytes } from "node:crypto";

import { KeysUnavailableError } from "../../errors/personal-errors.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import type { SubjectKey } from "./subject-key.ts";
import type { KeyState, SubjectKeys } from "./subject-keys.ts";
import { labelOf } from "./subject-keys.ts";

export class StateKeys {
  readonly #held = new Map<string, SubjectKey>();

  /** References to keys that have to be read from the store. */
  missing(references: readonly KeyReference[], keys: SubjectKeys): readonly KeyReference[] {
    return references.filter((each) => !this.#hold(each, keys));
  }

  /** @throws KeysUnavailableError, MissingKeyError */
  async learn(references: readonly KeyReference[], keys: SubjectKeys): Promise<void> {
    if (references.length === 0) return;
    const ring = await keys.learn(references);
    for (const each of references) this.#take(each, ring.get(labelOf(each)) ?? "unknown");
  }

  /** @throws KeysUnavailableError */
  of(references: readonly KeyReference[], keys: SubjectKeys): readonly SubjectKey[] {
    return references.map((each) => {
      const found = this.#hold(each, keys) && this.#held.get(labelOf(each));
      if (found) return found;
      throw new KeysUnavailableError(
        `The key ${each.name} of somebody whose data is in the state is not here yet.`,
        { details: { name: each.name } },
      );
    });
  }

  #hold(reference: KeyReference, keys: SubjectKeys): boolean {
    return this.#held.has(labelOf(reference)) || this.#take(reference, keys.state(reference));
  }

  #take({ id, name }: KeyReference, state: KeyState): boolean {
    if (state === "unknown") return false;
    const key = state === "erased" ? { id, name, secret: randomBytes(32) } : state;
    this.#held.set(labelOf(key), key);
    return true;
  }
}
