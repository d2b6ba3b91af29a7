/**
 * An input as it lies in the stream. The headers are decoded when somebody asks for the metadata.
 */
import type { Msg } from "@nats-io/nats-core";
import type { Address, Input, Metadata, Position, TroupeError } from "@troupe/core";

import { headerText } from "./header-text.ts";
import { parseInputSubject } from "./input-subject.ts";
import { metadataOf } from "./metadata-headers.ts";
import type { Subjects } from "./subjects.ts";

class StoredInput implements Input {
  readonly position: Position;
  readonly address: Address;
  readonly payload: Uint8Array;
  readonly acceptedAtMs: number;
  readonly fault: TroupeError | undefined;
  readonly #message: Msg;
  #metadata: Metadata | undefined;

  constructor(subjects: Subjects, subject: string, message: Msg, position: Position, atMs: number) {
    const { address, fault } = parseInputSubject(subjects, subject);
    this.position = position;
    this.address = address;
    this.fault = fault;
    this.payload = message.data;
    this.acceptedAtMs = atMs;
    this.#message = message;
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataOf(headerText(this.#message));
    return this.#metadata;
  }
}

/** The input in a message that was delivered or read; `subject` is the one it is stored under. */
export function storedInput(
  subjects: Subjects,
  subject: string,
  message: Msg,
  at: { readonly position: Position; readonly storedAtMs: number },
): Input {
  return new StoredInput(subjects, subject, message, at.position, at.storedAtMs);
}
