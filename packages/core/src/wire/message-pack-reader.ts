/**
 * MessagePack as values. It comes from anybody, so reading is total: a storable value, or an error
 * that says what is wrong, after a time that the number of bytes bounds. Lengths are compared with
 * the bytes that are there before anything is made of them.
 */
import { isAscii, isUtf8 } from "node:buffer";

import {
  mapExtension,
  sealedExtension,
  setExtension,
  timestampExtension,
  undefinedExtension,
} from "./message-pack-writer.ts";
import { fromWireSealed } from "./sealed.ts";

/**
 * The value that these bytes are.
 *
 * @param levelsMax how deep it may be nested
 * @throws Error for anything but exactly one storable value
 */
export function readMessagePack(bytes: Uint8Array, levelsMax: number): unknown {
  const reader = new MessagePackReader(bytes, levelsMax);
  const value = reader.value(0);
  reader.requireEnd();
  return value;
}

/** Methods behind a buffer's `toString`, which take a third of its time for short texts. */
interface SlicedBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

class MessagePackReader {
  readonly #bytes: Uint8Array;
  readonly #levelsMax: number;
  #view: DataView | undefined;
  #buffer: SlicedBuffer | undefined;
  #at = 0;

  constructor(bytes: Uint8Array, levelsMax: number) {
    this.#bytes = bytes;
    this.#levelsMax = levelsMax;
  }

  value(depth: number): unknown {
    const kind = this.#byte();
    if (kind < 0x80) return kind;
    if (kind < 0x90) return this.#properties(kind & 0x0f, depth);
    if (kind < 0xa0) return this.#array(kind & 0x0f, depth);
    if (kind < 0xc0) return this.#text(kind & 0x1f);
    if (kind >= 0xe0) return kind - 0x100;
    if (kind <= 0xc9) return this.#binaryOrExtension(kind, depth);
    if (kind < 0xd4) return this.#number(kind);
    if (kind < 0xd9) return this.#extension(1 << (kind - 0xd4), depth);
    return this.#long(kind, depth);
  }

  requireEnd(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new Error(`${left} bytes follow the value`);
  }

  #binaryOrExtension(kind: number, depth: number): unknown {
    switch (kind) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#byte());
      case 0xc5:
        return this.#binary(this.#uint16());
      case 0xc6:
        return this.#binary(this.#uint32());
      case 0xc7:
        return this.#extension(this.#byte(), depth);
      case 0xc8:
        return this.#extension(this.#uint16(), depth);
      case 0xc9:
        return this.#extension(this.#uint32(), depth);
      default:
        throw new Error("the byte 0xc1 begins no value");
    }
  }

  #number(kind: number): number {
    switch (kind) {
      case 0xca:
        return this.#dataView.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#dataView.getFloat64(this.#skip(8));
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return this.#uint16();
      case 0xce:
        return this.#uint32();
      case 0xcf:
        return exact(this.#dataView.getBigUint64(this.#skip(8)));
      case 0xd0:
        return this.#dataView.getInt8(this.#skip(1));
      case 0xd1:
        return this.#dataView.getInt16(this.#skip(2));
      case 0xd2:
        return this.#dataView.getInt32(this.#skip(4));
      default:
        return exact(this.#dataView.getBigInt64(this.#skip(8)));
    }
  }

  #long(kind: number, depth: number): unknown {
    switch (kind) {
      case 0xd9:
        return this.#text(this.#byte());
      case 0xda:
        return this.#text(this.#uint16());
      case 0xdb:
        return this.#text(this.#uint32());
      case 0xdc:
        return this.#array(this.#uint16(), depth);
      case 0xdd:
        return this.#array(this.#uint32(), depth);
      case 0xde:
        return this.#properties(this.#uint16(), depth);
      default:
        return this.#properties(this.#uint32(), depth);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#requireDepth(depth);
    this.#requireLeft(length);
    const array: unknown[] = [];
    for (let index = 0; index < length; index++) array.push(this.value(depth + 1));
    return array;
  }

  #properties(length: number, depth: number): Record<string, unknown> {
    this.#requireDepth(depth);
    this.#requireLeft(2 * length);
    const object: Record<string, unknown> = {};
    for (let index = 0; index < length; index++) {
      const key = this.#key();
      if (key === "__proto__") throw new Error('an object has a property "__proto__"');
      const value = this.value(depth + 1);
      if (value !== undefined) object[key] = value;
    }
    return object;
  }

  #key(): string {
    const kind = this.#byte();
    if (kind >= 0xa0 && kind < 0xc0) return this.#name(kind & 0x1f);
    if (kind === 0xd9) return this.#text(this.#byte());
    if (kind === 0xda) return this.#text(this.#uint16());
    if (kind === 0xdb) return this.#text(this.#uint32());
    throw new Error("a key of an object is not a string");
  }

  /** Names come again and again, so each is made once. */
  #name(length: number): string {
    const bytes = this.#bytes;
    const start = this.#at;
    const slot =
      ((length << 7) ^ ((bytes[start] ?? 0) << 3) ^ (bytes[start + length - 1] ?? 0)) & 1023;
    const known = names[slot];
    if (known !== undefined && this.#isText(known, length)) {
      this.#at += length;
      return known;
    }
    const name = this.#text(length);
    // Only an ASCII text has as many characters as bytes.
    if (name.length === length) names[slot] = name;
    return name;
  }

  #isText(text: string, length: number): boolean {
    if (text.length !== length) return false;
    const bytes = this.#bytes;
    const start = this.#at;
    for (let index = 0; index < length; index++) {
      if (text.charCodeAt(index) !== bytes[start + index]) return false;
    }
    return true;
  }

  #text(length: number): string {
    const start = this.#skip(length);
    const end = start + length;
    const bytes = this.#bytes;
    this.#buffer ??= bufferOf(bytes);
    const buffer = this.#buffer;
    if (length < shortText) {
      let index = start;
      while (index < end && (bytes[index] as number) < 0x80) index++;
      if (index === end) return buffer.latin1Slice(start, end);
    }
    if (length >= shortText && isAscii(buffer.subarray(start, end))) {
      return buffer.latin1Slice(start, end);
    }
    const text = buffer.utf8Slice(start, end);
    // Bytes that are no UTF-8 are read as this character, which may also be meant.
    if (!text.includes("\ufffd") || isUtf8(buffer.subarray(start, end))) return text;
    throw new Error("a text is not valid UTF-8");
  }

  /** A copy: it shares no memory with the message. */
  #binary(length: number): Uint8Array {
    const start = this.#skip(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  #extension(length: number, depth: number): unknown {
    const type = this.#byte();
    this.#requireLeft(length);
    const end = this.#at + length;
    const value = this.#extended(type, length, depth);
    if (this.#at !== end) throw new Error(`an extension of type ${type} has another length`);
    return value;
  }

  #extended(type: number, length: number, depth: number): unknown {
    if (type === timestampExtension) return this.#date(length);
    if (type === mapExtension) return mapOf(this.#elements(depth));
    if (type === setExtension) return new Set(this.#elements(depth));
    if (type === sealedExtension) return fromWireSealed(this.value(Math.max(0, depth - 2)));
    if (type === undefinedExtension) return void this.#skip(length);
    throw new Error(`extension type ${type > 127 ? type - 256 : type} is none of Troupe's`);
  }

  #elements(depth: number): readonly unknown[] {
    const elements = this.value(depth);
    if (!Array.isArray(elements)) throw new Error("a Map or Set is not an array");
    return elements;
  }

  #date(length: number): Date {
    const date = new Date(this.#time(length));
    if (Number.isNaN(date.getTime())) throw new Error("a date is out of range");
    return date;
  }

  #time(length: number): number {
    if (length === 4) return this.#uint32() * 1000;
    if (length === 8) {
      const first = this.#uint32();
      const seconds = (first % 4) * 0x100000000 + this.#uint32();
      return seconds * 1000 + Math.floor(Math.floor(first / 4) / 1_000_000);
    }
    if (length !== 12) throw new Error(`a date has ${length} bytes`);
    const nanoseconds = this.#uint32();
    const seconds = Number(this.#dataView.getBigInt64(this.#skip(8)));
    return seconds * 1000 + Math.floor(nanoseconds / 1_000_000);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("the payload ends within a value");
    return byte;
  }

  #uint16(): number {
    return this.#dataView.getUint16(this.#skip(2));
  }

  #uint32(): number {
    return this.#dataView.getUint32(this.#skip(4));
  }

  /** Skips so many bytes and returns where they begin. */
  #skip(length: number): number {
    this.#requireLeft(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  /** Refuses a length beyond the bytes that are left: every element has at least one. */
  #requireLeft(length: number): void {
    if (length > this.#bytes.length - this.#at) throw new Error("the payload ends within a value");
  }

  #requireDepth(depth: number): void {
    if (depth < this.#levelsMax) return;
    throw new Error(`it is nested more than ${this.#levelsMax} levels deep`);
  }

  get #dataView(): DataView {
    const { buffer, byteLength, byteOffset } = this.#bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return this.#view;
  }
}

function bufferOf({ buffer, byteLength, byteOffset }: Uint8Array): SlicedBuffer {
  return Buffer.from(buffer, byteOffset, byteLength) as SlicedBuffer;
}

/** Names of properties that were read before, by a number that is made of them. */
const names: (string | undefined)[] = Array.from({ length: 1024 });
/** Bytes up to which a loop is quicker than the call of a built-in. */
const shortText = 64;

function mapOf(elements: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  if (elements.length % 2 === 1) throw new Error("a Map has a key without a value");
  for (let index = 0; index < elements.length; index += 2) {
    const key = elements[index];
    if (typeof key === "object" && key !== null) throw new Error("a key of a Map is an object");
    map.set(key, elements[index + 1]);
  }
  return map;
}

/** @throws Error for an integer that a number cannot be */
function exact(integer: bigint): number {
  const number = Number(integer);
  if (Number.isSafeInteger(number)) return number;
  throw new Error("an integer is beyond 2^53, which no number is exactly: send it as a string");
}
