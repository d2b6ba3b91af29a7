/**
 * An input as it lies in the stream. The headers are decoded when somebody asks for the metadata.
 */
import type { Msg } from "@nats-io/nats-core";
import type { TroupeError } from "@troupe/core";
import { ForeignMessageError, InvalidKeyError } from "@troupe/core/errors";
import type { Address, Input, Metadata, Position } from "@troupe/core/log";

import { unroutableHeader } from "./foreign-message.ts";
import { headerText, visitHeaders } from "./header-text.ts";
import { idScope, parseInputSubject, type ParsedSubject } from "./input-subject.ts";
import { decodeText, metadataOf } from "./metadata-headers.ts";
import type { Subjects } from "./subjects.ts";

class StoredInput implements Input {
  readonly position: Position;
  readonly address: Address;
  readonly payload: Uint8Array;
  readonly acceptedAtMs: number;
  readonly fault: TroupeError | undefined;
  readonly #message: Msg;
  readonly #idScope: string;
  #metadata: Metadata | undefined;

  constructor(subjects: Subjects, subject: string, message: Msg, position: Position, atMs: number) {
    const { address, fault } =
      subject === subjects.unroutable
        ? unroutableOf(subjects, headerText(message))
        : parseInputSubject(subjects, subject);
    this.position = position;
    this.address = address;
    this.fault = fault;
    this.payload = message.data;
    this.acceptedAtMs = atMs;
    this.#message = message;
    this.#idScope = idScope(subjects, subject);
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataOf(headerText(this.#message), this.#idScope);
    return this.#metadata;
  }
}

/** Subject on which an unroutable message was published, and the fault that the relay found. */
function unroutableOf(subjects: Subjects, block: string): ParsedSubject {
  const said = {
    [unroutableHeader.subject]: "",
    [unroutableHeader.code]: "",
    [unroutableHeader.message]: "",
  };
  visitHeaders(block, (name, value) => {
    if (name in said) said[name] = decodeText(value);
  });
  const { address, fault } = parseInputSubject(subjects, said[unroutableHeader.subject] ?? "");
  const text = said[unroutableHeader.message] ?? "";
  if (said[unroutableHeader.code] === "invalid-key")
    return { address, fault: new InvalidKeyError(text) };
  return { address, fault: text === "" ? fault : new ForeignMessageError(text) };
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
