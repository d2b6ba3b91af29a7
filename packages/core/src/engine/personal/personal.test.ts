import { describe, expect, it } from "vitest";
import { z } from "zod";

import { RevisionConflictError } from "../../errors/log-errors.ts";
import { pipeline } from "@troupe/core";
import type { KeyStore, StoredKey } from "../../log/key-store.ts";
import { Sealed } from "../../wire/sealed.ts";
import { withField } from "../../definition/field-paths.ts";
import { personal, personalOf } from "../../definition/personal.ts";
import { sealedFields, sealedMessage } from "./sealing.ts";
import { withReferences } from "./state-references.ts";
import { newSubjectKey } from "./subject-key.ts";
import { SubjectKeys } from "./subject-keys.ts";

const key = newSubjectKey("somebody");

describe("what a declaration reaches", () => {
  it("a name with a dot in it", () => {
    const schema = personal(z.object({ "home.address": z.string() }), {
      fields: { "home.address": "" },
    });
    const note = personalOf(schema);
    expect(note && sealedFields({ "home.address": "Elm St 5" }, note, key)).toEqual({
      "home.address": expect.any(Sealed) as Sealed,
    });
  });

  it("leaves what has no fields as it is", () => {
    const given = { at: new Date(0), by: new Map([["name", "x"]]), of: new Uint8Array(2) };
    for (const name of ["at", "by", "of"]) {
      expect(withField(given, [name, "name"], () => "replaced")).toEqual(given);
    }
  });

  it("seals a part once, whatever names it", () => {
    const schema = personal(z.object({ a: z.object({ b: z.string() }) }), {
      fields: { "a.b": "" },
    });
    const note = personalOf(schema);
    if (note === undefined) throw new Error("there is a note");
    const once = sealedFields({ a: { b: "x" } }, note, key);
    expect(sealedFields(once, note, key)).toEqual(once);
  });

  it("a message that its schema changes, as a whole; another one by its fields", () => {
    const trimmed = personalOf(
      personal(z.object({ name: z.string().trim() }), { fields: { name: "" } }),
    );
    if (trimmed === undefined) throw new Error("there is a note");
    expect(sealedMessage({ name: " Ann " }, trimmed, key)).toBeInstanceOf(Sealed);
    expect(sealedMessage({ name: "Ann", more: 1 }, trimmed, key)).toBeInstanceOf(Sealed);
    expect(sealedMessage({ name: "Ann" }, trimmed, key)).toEqual({
      name: expect.any(Sealed) as Sealed,
    });
  });

  it("refuses what would lose a field", () => {
    const inner = personal(z.object({ name: z.string(), phone: z.string() }), {
      fields: { name: "" },
    });
    expect(() => personal(inner, { fields: { phone: "" } })).toThrow(/personal already/);
    expect(() => pipeline("enrich", inner)).toThrow(/unsealed/);
  });
});

describe("keys that are erased while they are read", () => {
  it("are not believed, by whoever seals and by whoever opens", async () => {
    const store = new SlowStore();
    const keys = new SubjectKeys(store, () => 0);
    const other = new SubjectKeys(store, () => 0);
    const made = (await other.make(["customer/42"])).get("customer/42");
    await keys.prepare();
    store.beforeAnswer = async () => {
      store.beforeAnswer = undefined;
      await other.erase("customer/42");
    };
    const again = (await keys.make(["customer/42"])).get("customer/42");
    expect(again?.id).not.toBe(made?.id);
  });

  it("do not keep others waiting whose keys stay", async () => {
    const store = new SlowStore();
    const keys = new SubjectKeys(store, () => 0);
    const other = new SubjectKeys(store, () => 0);
    const [made] = (await other.make(["customer/42"])).values();
    if (made === undefined) throw new Error("there is a key");
    await keys.prepare();
    let reads = 0;
    store.beforeAnswer = async () => {
      reads += 1;
      store.told("somebody else");
    };
    expect([...(await keys.learn([made])).values()]).toEqual([made]);
    expect(reads).toBe(1);
  });

  it("leave a state in doubt that was folded before that was heard", async () => {
    const store = new SlowStore();
    const keys = new SubjectKeys(store, () => 0);
    const { changes } = keys;
    store.told(key.name);
    expect(withReferences(undefined, [key], changes)?.doubtful(keys)).toEqual([key]);
    const references = withReferences(undefined, [key], keys.changes);
    expect(references?.doubtful(keys)).toEqual([]);
    // Heard while the store was asked about an earlier change.
    const asked = keys.changes;
    store.told(key.name);
    references?.looked(asked);
    expect(references?.doubtful(keys)).toEqual([key]);
  });
});

/** Values under names; changes that are told before it answers come in between. */
class SlowStore implements KeyStore {
  beforeAnswer: (() => Promise<void>) | undefined;
  readonly #values = new Map<string, StoredKey>();
  readonly #listeners = new Set<(name: string) => void>();

  async read(name: string): Promise<StoredKey | undefined> {
    const found = this.#values.get(name);
    await this.beforeAnswer?.();
    return found;
  }

  async write(name: string, value: Uint8Array, expectedRevision: number): Promise<number> {
    const revision = this.#values.get(name)?.revision ?? 0;
    if (revision !== expectedRevision) throw new RevisionConflictError("Another one was first.");
    this.#values.set(name, { revision: revision + 1, value });
    this.told(name);
    return revision + 1;
  }

  shred(name: string, value: Uint8Array, expectedRevision: number): Promise<number> {
    return this.write(name, value, expectedRevision);
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  told(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}
