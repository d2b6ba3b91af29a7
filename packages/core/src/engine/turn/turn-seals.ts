/**
 * The keys of one turn, for the parts it opens and those it seals.
 *
 *  SEAL-1 Everything a turn stores of personal data is sealed before it is encoded: events and
 *     messages by their declaration; the reply and the results of steps as a whole, because nothing
 *     declares them, with the keys of the agent itself and of everybody whose data was in its
 *     message, is in its state, was asked for, or is in what it emits and sends.
 *  SEAL-2 Keys are read and made around the handler, never in it, so that emitting and folding stay
 *     synchronous. A failure there is no run of the handler: it does not count, and is tried again
 *     for ever.
 *  SEAL-3 A state that was folded with data which is erased now is folded again before a handler
 *         sees it.
 *  SEAL-4 A message whose data was erased is not handled any more: it fails for good, and its dead
 *         letter says why.
 */
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { UndecodablePayloadError } from "../../errors/message-errors.ts";
import {
  KeysUnavailableError,
  MissingKeyError,
  PersonalDataErasedError,
} from "../../errors/personal-errors.ts";
import { agentName } from "../../definition/message/address.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { RecordedStep } from "../../journal/recorded-step.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import type { OpenTurn } from "./open-turn.ts";
import { encodePayload } from "../../wire/payload.ts";
import type { KeyReference } from "../../wire/sealed.ts";
import { whenThere } from "../../wire/thenable.ts";
import { seal } from "../personal/box.ts";
import { opened, referencesIn } from "../personal/opening.ts";
import type { PersonalNote } from "../../definition/personal.ts";
import { personalOf, subjectOf } from "../../definition/personal.ts";
import { sealedFields, sealedMessage, subjectOfMessage } from "../personal/sealing.ts";
import { StateKeys } from "../personal/state-keys.ts";
import type { StateReferences } from "../personal/state-references.ts";
import { withReferences } from "../personal/state-references.ts";
import type { SubjectKey } from "../personal/subject-key.ts";
import type { KeyRing, SubjectKeys } from "../personal/subject-keys.ts";
import { labelOf, subjectKeys } from "../personal/subject-keys.ts";

interface OpenDraft {
  readonly note: PersonalNote;
  readonly value: unknown;
  readonly subject: string;
}

export class TurnSeals {
  readonly #turn: OpenTurn;
  readonly #keys: SubjectKeys;
  /** Keys to seal with, by subject. */
  readonly #held = new Map<string, SubjectKey>();
  /** Keys of what was in the message. */
  #messageKeys: readonly SubjectKey[] = [];
  /** Keys of what is in the state. */
  readonly #ofState = new StateKeys();
  /** Subjects that were asked, or asked about. */
  readonly #asked = new Set<string>();
  /** Changes of keys that had been heard of before any was read here. */
  readonly #changes: number;
  #drafts: Map<InputDraft, OpenDraft> | undefined;
  /** The message, once it is open. */
  #payload: { readonly value: unknown } | undefined;

  constructor(turn: OpenTurn) {
    this.#turn = turn;
    this.#keys = subjectKeys(turn.host.log);
    this.#changes = this.#keys.changes;
  }

  /** The message is open. */
  get isOpen(): boolean {
    return this.#payload !== undefined;
  }

  /**
   * The message with its personal data, or a promise of it. @throws PersonalDataErasedError,
   * UndecodablePayloadError, and a promise rejects with KeysUnavailableError or MissingKeyError
   */
  #open(payload: unknown): unknown {
    if (this.#payload !== undefined) return this.#payload.value;
    const references = referencesIn(payload);
    if (references.length > 0) this.#requireOurs();
    const ring = this.#ringOf(references);
    if (ring !== undefined && this.#isReady()) return this.#opened(payload, ring);
    return this.#learn(payload, references);
  }

  /** Result of `then` for the open message, or a promise of it. */
  opened(payload: unknown, then: (value: unknown) => unknown): unknown {
    return whenThere(this.#open(payload), then);
  }

  /**
   * The outcome of the run, or a promise of it: once every key is here that the turn seals with.
   */
  afterRun(outcome: unknown): unknown {
    return whenThere(outcome, (reply) => this.#withKeys(reply));
  }

  /**
   * The keys that are missing to store anything, or a promise of them; undefined when all are here.
   * A promise rejects with KeysUnavailableError or MissingKeyError.
   */
  ready(what: "everything" | "no values" = "everything"): Promise<void> | undefined {
    const subjects = this.#subjects().filter((subject) => !this.#has(subject));
    const references = what === "no values" ? none : (this.#turn.references?.all ?? none);
    const ofState = this.#ofState.missing(references, this.#keys);
    if (subjects.length === 0 && ofState.length === 0) return undefined;
    return this.#patient(async () => {
      for (const [subject, key] of await this.#keys.make(subjects)) this.#held.set(subject, key);
      await this.#ofState.learn(ofState, this.#keys);
    });
  }

  /**
   * The turn asks about somebody: the answer is that person's. Returns the digest to know the ask
   * by, which nobody can make again who does not have the key store.
   */
  async asks(subject: string, digest: string): Promise<string> {
    this.#asked.add(subject);
    if (this.#turn.runtime.personal) return digest;
    await this.#patient(() => this.#keys.prepare());
    return this.#keys.blinded(digest);
  }

  /** Notes an outgoing message, which is sealed when the turn is over. */
  draft(draft: InputDraft, note: PersonalNote, value: unknown): void {
    const { key, name } = draft.address;
    const subject = subjectOfMessage(note, value, { type: name, key });
    this.#drafts ??= new Map();
    this.#drafts.set(draft, { note, value, subject });
  }

  /** Seal what is sent. @throws KeysUnavailableError */
  sealDrafts(): void {
    const drafts = this.#drafts;
    if (drafts === undefined) return;
    const turn = this.#turn;
    turn.outgoing = turn.outgoing.map((draft) => this.#sealedDraft(draft, drafts));
    turn.timers = turn.timers.map((timer) =>
      timer.kind === "set"
        ? { ...timer, message: this.#sealedDraft(timer.message, drafts) }
        : timer,
    );
    this.#drafts = undefined;
  }

  /** The record as it is stored. @throws KeysUnavailableError */
  record(record: TurnRecord): TurnRecord {
    return {
      ...record,
      events: record.events.map((event) => this.#sealedEvent(event)),
      reply: record.reply === undefined ? undefined : this.#sealedWhole(record.reply),
      steps: record.steps?.map((step) => this.#sealedStep(step)),
    };
  }

  /** @throws KeysUnavailableError */
  steps(record: StepRecord): StepRecord {
    return { ...record, steps: record.steps.map((step) => this.#sealedStep(step)) };
  }

  /** Keys of what went into the state with this turn's events. */
  references(before: StateReferences | undefined): StateReferences | undefined {
    const added = this.#turn.events.flatMap((event) => {
      const subject = this.#subjectOfEvent(event);
      return subject === undefined ? [] : referenceOf(this.#keyOf(subject));
    });
    return withReferences(before, added, this.#changes);
  }

  #requireOurs(): void {
    const { metadata, position } = this.#turn.delivery.input;
    if (metadata.foreign !== true) return;
    throw new UndecodablePayloadError(
      `The message at ${position} has sealed parts and comes from a foreign client, which has no keys: send it as plain values.`,
      { details: { position } },
    );
  }

  /** The ring that opens these, if all its keys are known here. */
  #ringOf(references: readonly KeyReference[]): KeyRing | undefined {
    const ring = new Map<string, SubjectKey | "erased">();
    for (const reference of references) {
      const state = this.#keys.state(reference);
      if (state === "unknown") return undefined;
      ring.set(labelOf(reference), state);
    }
    return ring;
  }

  /** The agent's own key is here, and nothing of its state may have been erased. */
  #isReady(): boolean {
    const { references } = this.#turn;
    const own = this.#keys.known(this.#own);
    if (own === undefined) return false;
    if (references !== undefined && references.doubtful(this.#keys).length > 0) return false;
    if (references?.hasOlder(own) === true) return false;
    this.#held.set(this.#own, own);
    return true;
  }

  async #learn(payload: unknown, references: readonly KeyReference[]): Promise<unknown> {
    const ring = await this.#patient(async () => {
      const own = (await this.#keys.make([this.#own])).get(this.#own);
      if (own !== undefined) this.#held.set(this.#own, own);
      await this.#requireState(own);
      return this.#keys.learn(references);
    });
    return this.#opened(payload, ring);
  }

  /** Start again from the journal when the state holds what is erased now (SEAL-3). */
  async #requireState(own: SubjectKey | undefined): Promise<void> {
    const { references } = this.#turn;
    if (references === undefined) return;
    const { changes } = this.#keys;
    const ring = await this.#keys.learn(references.doubtful(this.#keys));
    const isErased = [...ring.values()].includes("erased");
    if (!isErased && (own === undefined || !references.hasOlder(own))) {
      return references.looked(changes);
    }
    this.#turn.startAgain();
    throw new RevisionConflictError(
      `Personal data in the state of ${agentName(this.#turn.agent)} was erased: it is folded again.`,
      { details: { agent: agentName(this.#turn.agent) } },
    );
  }

  #opened(payload: unknown, ring: KeyRing): unknown {
    const keys = new Map<string, SubjectKey>();
    for (const [label, found] of ring) {
      if (found === "erased") throw erasedMessage(this.#turn);
      keys.set(label, found);
    }
    this.#messageKeys = [...keys.values()];
    const value = opened(payload, ring, "sealed");
    this.#payload = { value };
    return value;
  }

  #withKeys(reply: unknown): unknown {
    const later = this.ready(reply === undefined ? "no values" : "everything");
    return later === undefined ? reply : later.then(() => reply);
  }

  #has(subject: string): boolean {
    if (this.#held.has(subject)) return true;
    const known = this.#keys.known(subject);
    if (known !== undefined) this.#held.set(subject, known);
    return known !== undefined;
  }

  /** Subjects of the data that the turn stores. */
  #subjects(): readonly string[] {
    const ofEvents = this.#turn.events.flatMap((event) => this.#subjectOfEvent(event) ?? []);
    const ofDrafts = [...(this.#drafts?.values() ?? [])].map(({ subject }) => subject);
    return [...new Set([this.#own, ...this.#asked, ...ofEvents, ...ofDrafts])];
  }

  /** Trouble with the keys is not a run that failed (SEAL-2). */
  async #patient<Result>(action: () => Promise<Result>): Promise<Result> {
    try {
      return await action();
    } catch (thrown) {
      const isTrouble = thrown instanceof KeysUnavailableError || thrown instanceof MissingKeyError;
      if (isTrouble) this.#turn.uncount();
      throw thrown;
    }
  }

  get #own(): string {
    return agentName(this.#turn.agent);
  }

  #noteOf({ type }: RecordedEvent): PersonalNote | undefined {
    const { events } = this.#turn.runtime.definition;
    const declared = Object.hasOwn(events, type) ? events[type] : undefined;
    return declared && personalOf(declared.schema);
  }

  #subjectOfEvent(event: RecordedEvent): string | undefined {
    const note = this.#noteOf(event);
    return note && subjectOf(note, event.data, this.#turn.agent);
  }

  #sealedEvent(event: RecordedEvent): RecordedEvent {
    const note = this.#noteOf(event);
    if (note === undefined) return event;
    const subject = subjectOf(note, event.data, this.#turn.agent);
    return { ...event, data: sealedFields(event.data, note, this.#keyOf(subject)) };
  }

  /** The step with its value sealed; a drawn value says nothing about anybody, and stays open. */
  #sealedStep(step: RecordedStep): RecordedStep {
    const isDrawn = drawn.has(step.name);
    return isDrawn || step.value === undefined
      ? step
      : { ...step, value: this.#sealedWhole(step.value) };
  }

  #sealedWhole(value: unknown): unknown {
    const own = this.#keyOf(this.#own);
    const ofState = this.#ofState.of(this.#turn.references?.all ?? none, this.#keys);
    const all = [own, ...this.#messageKeys, ...this.#held.values(), ...ofState];
    const keys = [...new Map(all.map((key) => [labelOf(key), key])).values()];
    return seal(value, keys, undefined);
  }

  #sealedDraft(draft: InputDraft, drafts: ReadonlyMap<InputDraft, OpenDraft>): InputDraft {
    const open = drafts.get(draft);
    if (open === undefined) return draft;
    const value = sealedMessage(open.value, open.note, this.#keyOf(open.subject));
    const sealed = { ...draft, payload: encodePayload(value) };
    const { digests, runtime } = this.#turn;
    const digest = digests?.get(draft) ?? "";
    digests?.set(sealed, runtime.personal ? digest : this.#keys.blinded(digest));
    return sealed;
  }

  /**
   * The key of a subject, also when it was read long ago: data sealed with a key that is erased
   * meanwhile are erased, too. @throws KeysUnavailableError
   */
  #keyOf(subject: string): SubjectKey {
    const key = this.#held.get(subject) ?? this.#keys.known(subject, "stale");
    if (key !== undefined) return key;
    throw new KeysUnavailableError(
      `The key of a data subject is not here, and what ${this.#own} stores about it cannot wait for it: an interceptor of commit must not bring in people whom the turn did not know.`,
      { details: { agent: this.#own } },
    );
  }
}

const drawn: ReadonlySet<string> = new Set(["~now", "~random", "~id"]);

const none: readonly KeyReference[] = Object.freeze([]);

function referenceOf({ id, name }: SubjectKey): KeyReference {
  return { id, name };
}

function erasedMessage({ agent, delivery }: OpenTurn): PersonalDataErasedError {
  const { position } = delivery.input;
  return new PersonalDataErasedError(
    `The personal data in the message for ${agentName(agent)} at ${position} were erased before it was handled: it is not handled any more.`,
    { details: { agent: agentName(agent), position } },
  );
}
