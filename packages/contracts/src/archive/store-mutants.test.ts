/** Stores that break STORE-1 to STORE-3: the contract suite must notice each of them. */
import { describe, expect, test } from "vitest";

import type { ArchiveStore } from "@troupe/core/archive";
import type { MemoryArchiveStore } from "@troupe/testing";
import { memoryArchiveStore } from "@troupe/testing";
import { storeChecks } from "./store-checks.ts";

interface StoreMutant {
  readonly does: string;
  readonly failsAt: string;
  readonly mutate: (store: MemoryArchiveStore) => Partial<ArchiveStore>;
}

const nextTurnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const mutants: readonly StoreMutant[] = [
  {
    does: "overwrites",
    failsAt: "a name that is taken stays what it is (STORE-2)",
    mutate: ({ objects }) => ({
      put: async (name, content) => objects.set(name, content).has(name),
    }),
  },
  {
    does: "looks first and writes then",
    failsAt: "of many that create one name at once exactly one does (STORE-2)",
    mutate: (store) => ({
      put: async (name, content) => {
        if ((await store.get(name)) !== undefined) return false;
        await nextTurnOfTheLoop();
        store.objects.set(name, content);
        return true;
      },
    }),
  },
  {
    does: "says of every object that it is new",
    failsAt: "of many that create one name at once exactly one does (STORE-2)",
    mutate: (store) => ({ put: async (...given) => (await store.put(...given)) || true }),
  },
  {
    does: "counts ranges to their last byte",
    failsAt: "a range is that part of the object, cut where it ends",
    mutate: (store) => ({
      get: (name, range) => store.get(name, range && { ...range, bytes: range.bytes + 1 }),
    }),
  },
  {
    does: "lists the first thousand",
    failsAt: "a list has everything, however much there is",
    mutate: (store) => ({ list: async (prefix) => (await store.list(prefix)).slice(0, 1000) }),
  },
  {
    does: "lists what was there a moment ago",
    failsAt: "a list has everything below a prefix, by name, with its size (STORE-3)",
    mutate: (store) => {
      let before: ReturnType<ArchiveStore["list"]> = Promise.resolve([]);
      return {
        list: (prefix) => {
          const answer = before;
          before = store.list(prefix);
          return answer;
        },
      };
    },
  },
  {
    does: "keeps what was removed",
    failsAt: "what was removed is gone, and its name is free (STORE-3)",
    mutate: () => ({ remove: async () => undefined }),
  },
  {
    does: "keeps the caller's bytes instead of a copy",
    failsAt: "what is put is what it was at the call",
    mutate: ({ objects }) => ({
      put: async (name, content) => objects.set(name, content).has(name),
    }),
  },
  {
    does: "stores half of what is large",
    failsAt: "what was put is what is got, whatever its bytes",
    mutate: (store) => ({
      put: (name, content) => store.put(name, content.subarray(0, 1_000_000)),
    }),
  },
  {
    does: "takes any name",
    failsAt: "a name may have everything that is allowed in one, and nothing else",
    mutate: ({ objects }) => ({
      put: async (name, content) => objects.set(name, content).has(name),
    }),
  },
];

describe("the contract of an archive's store notices a store that", () => {
  test.for(mutants)("$does", async ({ failsAt, mutate }) => {
    const check = storeChecks.find(({ name }) => name === failsAt);
    expect(check, `the check "${failsAt}"`).toBeDefined();
    const store = memoryArchiveStore();
    const mutant = { ...store, ...mutate(store) };
    const outcome = await check
      ?.run({ connect: async () => mutant, stop: async () => undefined })
      .then(
        () => "nothing noticed",
        () => "noticed",
      );
    expect(outcome).toBe("noticed");
  });
});
