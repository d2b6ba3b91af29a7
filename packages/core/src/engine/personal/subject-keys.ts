/**
 * The keys of data subjects, as one process knows them.
 *
 *  KEY-1 A key that is not known here is read from the store; a missing one is made there by
 *     compare-and-set, so two processes that begin at once have the same one.
 *  KEY-2 An answer is believed for a minute and no longer. An erasure is told to the other
 *     processes, so it usually counts at once.
 *  KEY-3 Only the store's note says that a key was erased. A key that is not there without one is
 *     missing (`missing-key`), and all that need it wait: an empty or older store must not look
 *     like forgetting.
 *  KEY-4 The number of known keys is bounded (I7): the least recently used go first.
 */
import { createHmac, randomBytes } from "node:crypto";

import { KeysUnavailableError, MissingKeyError } from "../../errors/personal-errors.ts";
import { LogUnavailableError, RevisionConflictError } from "../../errors/log-errors.ts";
import { thrownText } from "../../errors/thrown.ts";
import { TroupeError } from "../../errors/troupe-error.ts";
import type { KeyStore, StoredKey } from "../../log/key-store.ts";
import type { Log } from "../../log/log.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import type { KeyEntry, SubjectKey } from "./subject-key.ts";
import { decodeKeyEntry, encodeKeyEntry, newSubjectKey } from "./subject-key.ts";

/** Answer about a key: the key itself, or that it was erased. */
export type Found = SubjectKey | "erased";
/** State of a key; `unknown` has to be asked for. */
export type KeyState = Found | "unknown";
/** Keys that open sealed parts, by `labelOf`. */
export type KeyRing = ReadonlyMap<string, Found>;

interface Known extends KeyEntry {
  readonly readAtMs: number;
}

/** Time that a key is believed, in milliseconds. */
const believedMs = 60_000;
const knownMax = 10_000;
/** Changes that are remembered by name. */
const changedMax = 1000;
/** Number of reads at once. */
const readingMax = 64;
/** No base64url of 22 characters, so no subject's name. */
const secretName = "~namespace";

const perStore = new WeakMap<KeyStore, SubjectKeys>();

/** The keys of this connection, which has one set of them. */
export function subjectKeys(log: Log): SubjectKeys {
  const { keys } = log;
  const found = perStore.get(keys);
  if (found !== undefined) return found;
  const made = new SubjectKeys(keys, () => log.nowMs());
  perStore.set(keys, made);
  log.onStatus((status) => {
    if (status === "connected") made.doubt();
  });
  return made;
}

export class SubjectKeys {
  readonly #store: KeyStore;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();
  #secret: Uint8Array | undefined;
  /** Names that changed lately, the last one at the end, and the number of those before them. */
  #changed: string[] = [];
  #changedBefore = 0;

  constructor(store: KeyStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
    store.onChange((name) => this.#forget(name));
  }

  /** Number of changes that were heard of; for `changedSince`. */
  get changes(): number {
    return this.#changedBefore + this.#changed.length;
  }

  /** Names that may have changed since then; undefined: any. */
  changedSince(changes: number): readonly string[] | undefined {
    return changes < this.#changedBefore
      ? undefined
      : this.#changed.slice(changes - this.#changedBefore);
  }

  /** Doubts all keys, because changes by others were not heard meanwhile. */
  doubt(): void {
    this.#changedBefore = this.changes + 1;
    this.#changed = [];
    this.#known.clear();
  }

  #forget(name: string): void {
    this.#known.delete(name);
    this.#changed.push(name);
    if (this.#changed.length < 2 * changedMax) return;
    this.#changedBefore += changedMax;
    this.#changed = this.#changed.slice(changedMax);
  }

  /** Read the namespace's secret, or make it. @throws KeysUnavailableError */
  async prepare(): Promise<void> {
    for (let attempt = 0; !(await this.#hasSecret()); attempt++) {
      await this.#write(secretName, randomBytes(32), 0, attempt);
    }
  }

  /** The key to seal with, if it is known; however old that knowledge is when `stale`. */
  known(subject: string, how: "fresh" | "stale" = "fresh"): SubjectKey | undefined {
    if (this.#secret === undefined) return undefined;
    return this.#entry(this.nameOf(subject), how)?.key;
  }

  /**
   * Keys to seal with, by subject; those that nobody has are made. @throws KeysUnavailableError
   */
  async make(subjects: Iterable<string>): Promise<ReadonlyMap<string, SubjectKey>> {
    await this.prepare();
    const made = new Map<string, SubjectKey>();
    await each([...new Set(subjects)], async (subject) => {
      made.set(subject, await this.#make(this.nameOf(subject)));
    });
    return made;
  }

  /** State of the key of a sealed part, as far as is known. */
  state(reference: KeyReference): KeyState {
    return stateIn(this.#entry(reference.name, "fresh"), reference);
  }

  /**
   * Keys that open these, read from the store where need be. @throws KeysUnavailableError,
   * MissingKeyError
   */
  async learn(references: Iterable<KeyReference>): Promise<KeyRing> {
    const ring = new Map<string, Found>();
    const unknown = new Map<string, KeyReference>();
    for (const reference of references) {
      const state = this.state(reference);
      if (state === "unknown") unknown.set(labelOf(reference), reference);
      else ring.set(labelOf(reference), state);
    }
    await each([...unknown.values()], async (reference) => {
      const state = stateIn(await this.#read(reference.name), reference);
      if (state === "unknown") throw missing(reference);
      ring.set(labelOf(reference), state);
    });
    return ring;
  }

  /**
   * Erase the subject's key; true when there was one. Data that were sealed with it are gone,
   * wherever they lie.
   *
   * @param id only this one: another one that was made since stays
   * @throws KeysUnavailableError: do it again
   */
  async erase(subject: string, id?: string): Promise<boolean> {
    if (!(await this.#hasSecret())) return false;
    const name = this.nameOf(subject);
    for (let attempt = 0; ; attempt++) {
      const stored = await this.#answer(this.#store.read(name));
      if (stored === undefined) return false;
      const { erased, key } = decodeKeyEntry(name, stored.value);
      const isIt = key !== undefined && (id === undefined || key.id === id);
      const next = isIt ? { key: undefined, erased: [...erased, key.id] } : { key, erased };
      try {
        // Also when it is gone: an earlier erasure may have ended in the middle.
        await this.#answer(this.#store.shred(name, encodeKeyEntry(next), stored.revision));
        this.#forget(name);
        return isIt;
      } catch (thrown) {
        if (!(thrown instanceof RevisionConflictError) || attempt >= attemptsMax) throw thrown;
      }
    }
  }

  /** The id of the subject's key, if it has one. @throws KeysUnavailableError */
  async idOf(subject: string): Promise<string | undefined> {
    if (!(await this.#hasSecret())) return undefined;
    return (await this.#read(this.nameOf(subject)))?.key?.id;
  }

  /** A digest that nobody can make who does not have the key store. */
  blinded(digest: string): string {
    return this.#hmac("digest", digest).slice(0, digest.length);
  }

  /** Name of a subject's key in the store, which does not tell who that is. */
  nameOf(subject: string): string {
    return this.#hmac("subject", subject);
  }

  #hmac(what: string, content: string): string {
    const secret = this.#secret;
    if (secret === undefined) throw new KeysUnavailableError("The namespace's secret is not read.");
    const hash = createHmac("sha256", secret).update(`${what}:`).update(content);
    return hash.digest("base64url").slice(0, 22);
  }

  /** Whether the store has a secret; without one nobody has a key. */
  async #hasSecret(): Promise<boolean> {
    if (this.#secret !== undefined) return true;
    this.#secret = (await this.#answer(this.#store.read(secretName)))?.value;
    return this.#secret !== undefined;
  }

  #entry(name: string, how: "fresh" | "stale"): Known | undefined {
    const entry = this.#known.get(name);
    if (entry === undefined) return undefined;
    if (how === "fresh" && this.#nowMs() - entry.readAtMs > believedMs) return undefined;
    // The least recently used is the first.
    this.#known.delete(name);
    this.#known.set(name, entry);
    return entry;
  }

  async #make(name: string): Promise<SubjectKey> {
    let found = this.#entry(name, "fresh")?.key;
    for (let attempt = 0; found === undefined; attempt++) {
      const stored = await this.#certain(name);
      const entry = stored && decodeKeyEntry(name, stored.value);
      found = entry?.key;
      if (found !== undefined && entry !== undefined) this.#keep(name, entry);
      else {
        const key = newSubjectKey(name);
        const value = encodeKeyEntry({ key, erased: entry?.erased ?? [] });
        await this.#write(name, value, stored?.revision ?? 0, attempt);
      }
    }
    return found;
  }

  /** Another process may have been first: the store's entry is read then, and decides. */
  async #write(name: string, value: Uint8Array, revision: number, attempt: number): Promise<void> {
    try {
      await this.#answer(this.#store.write(name, value, revision));
    } catch (thrown) {
      if (!(thrown instanceof RevisionConflictError) || attempt >= attemptsMax) throw thrown;
    }
  }

  async #read(name: string): Promise<KeyEntry | undefined> {
    const stored = await this.#certain(name);
    if (stored === undefined) return undefined;
    const entry = decodeKeyEntry(name, stored.value);
    this.#keep(name, entry);
    return entry;
  }

  /** An answer is not believed when the key was erased while it was on its way. */
  async #certain(name: string): Promise<StoredKey | undefined> {
    for (;;) {
      const { changes } = this;
      const stored = await this.#answer(this.#store.read(name));
      if (this.changedSince(changes)?.includes(name) === false) return stored;
    }
  }

  #keep(name: string, entry: KeyEntry): void {
    this.#known.delete(name);
    this.#known.set(name, { ...entry, readAtMs: this.#nowMs() });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= knownMax) return;
      this.#known.delete(oldest);
    }
  }

  /** A store that refuses, because it is full or lacks a right, is no reason to lose a message. */
  async #answer<Value>(call: Promise<Value>): Promise<Value> {
    try {
      return await call;
    } catch (cause) {
      // Somebody else was first, or the log was moved: that is an answer.
      const isAnswer = cause instanceof TroupeError && cause.retryable;
      if (isAnswer && !(cause instanceof LogUnavailableError)) throw cause;
      throw new KeysUnavailableError(
        `The key store gives no answer, or refuses (${thrownText(cause)}): what needs the keys of personal data waits and is tried again.`,
        { cause },
      );
    }
  }
}

/** Others who come first, again and again. */
const attemptsMax = 100;

async function each<Item>(
  items: readonly Item[],
  action: (item: Item) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += readingMax) {
    await Promise.all(items.slice(at, at + readingMax).map(action));
  }
}

export function labelOf({ id, name }: KeyReference): string {
  return `${name}.${id}`;
}

function stateIn(entry: KeyEntry | undefined, { id }: KeyReference): KeyState {
  if (entry?.key?.id === id) return entry.key;
  return entry?.erased.includes(id) === true ? "erased" : "unknown";
}

function missing({ id, name }: KeyReference): MissingKeyError {
  return new MissingKeyError(
    `The key store has no key ${id} under ${name}, and no note that it was erased: it is not the store that the data were sealed with, or it was restored from before. Connect to the right one, or restore it; until then what needs the key waits.`,
    { details: { name, id } },
  );
}
