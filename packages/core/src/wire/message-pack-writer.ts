/**
 * Storable values as MessagePack (https://msgpack.org), so that any reader of it understands them.
 *
 * Numbers are integers where they can be, and floats otherwise, −0 too. Dates are the timestamp
 * extension. Four more extensions are ours: 0 is undefined, 1 a Map (its payload is an array of
 * keys and values in turn), 2 a Set (an array), 3 a sealed part (`sealed.ts`). Every value passes
 * the definition of `storable.ts` on its way, so nothing is written that would be read as something
 * else.
 */
import { OddValue } from "./odd-value.ts";
import { type Sealed, toWireSealed } from "./sealed.ts";
import {
  formOf,
  mapSegment,
  requireKey,
  requireMapKey,
  requireWellFormed,
  timeOf,
} from "./storable.ts";

/** Limits of one value. */
export interface ValueLimits {
  readonly levels: number;
  readonly parts: number;
}

/** Bytes of one value, at most: as many as a NATS server can be told to take in one message. */
const payloadBytesMax = 64 * 1024 * 1024;

/** Extensions. */
export const undefinedExtension = 0;
export const mapExtension = 1;
export const setExtension = 2;
export const sealedExtension = 3;
export const timestampExtension = 0xff;

/**
 * Writes one value after the other. Small ones share memory, each lies behind the one before; a
 * large one is written to memory that is used again, and copied from there.
 */
export class MessagePackWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  #view: DataView = viewOf(this.#bytes);
  /** Index of the next byte; `#from` is the index at which the value began. */
  #at = 0;
  #start = 0;
  #parts = 0;
  #limits: ValueLimits = { levels: 0, parts: 0 };
  /** The memory of small values, while a large one is written, and where that would begin. */
  #slab: { readonly bytes: Buffer; readonly start: number } | undefined;
  #large: Buffer | undefined;

  /** The bytes of a value. @throws OddValue */
  write(value: unknown, limits: ValueLimits): Uint8Array {
    this.#begin(limits);
    try {
      this.#value(value, 0);
      const part = new Uint8Array(this.#bytes.buffer, this.#start, this.#at - this.#start);
      return this.#slab === undefined ? part : part.slice();
    } finally {
      this.#end();
    }
  }

  /** Number of bytes that the value would have. @throws OddValue */
  measure(value: unknown, limits: ValueLimits): number {
    this.#begin(limits);
    try {
      this.#value(value, 0);
      return this.#at - this.#start;
    } finally {
      this.#at = this.#start;
      this.#end();
    }
  }

  #begin(limits: ValueLimits): void {
    this.#limits = limits;
    this.#parts = 0;
    if (this.#at > slabBytes - roomMin) {
      this.#use(Buffer.allocUnsafeSlow(slabBytes));
      this.#at = 0;
    }
    this.#start = this.#at;
  }

  #end(): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    if (this.#bytes.length <= largeKeptBytes) this.#large = this.#bytes;
    this.#slab = undefined;
    this.#use(slab.bytes);
    this.#at = slab.start;
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#byte(value ? 0xc3 : 0xc2);
      case "undefined":
        this.#room(3);
        this.#bytes[this.#at++] = 0xd4;
        this.#bytes[this.#at++] = undefinedExtension;
        this.#bytes[this.#at++] = 0;
        return undefined;
      case "object":
        if (value === null) return this.#byte(0xc0);
        return this.#object(value, depth);
      case "bigint":
      case "function":
      case "symbol":
        throw OddValue.scalar(value);
    }
  }

  #object(value: object, depth: number): void {
    const form = formOf(value);
    if (form === "date") return this.#date(value as Date);
    if (form === "bytes") return this.#binary(value as Uint8Array);
    if (form === "sealed") return this.#sealed(value as Sealed, depth);
    if (depth >= this.#limits.levels) throw OddValue.depth(this.#limits.levels);
    if (form === "array") this.#array(value as unknown[], depth + 1);
    else if (form === "map") this.#map(value as Map<unknown, unknown>, depth + 1);
    else if (form === "set") this.#set(value as Set<unknown>, depth + 1);
    else this.#properties(value as Readonly<Record<string, unknown>>, depth + 1);
  }

  #array(value: readonly unknown[], depth: number): void {
    const { length } = value;
    this.#count(length);
    this.#header(length, 0x90, 16, 0xdc);
    let index = 0;
    try {
      for (; index < length; index++) {
        const element = value[index];
        if (element === undefined && !(index in value)) throw OddValue.hole();
        this.#value(element, depth);
      }
    } catch (thrown) {
      throw OddValue.within(thrown, value, index);
    }
  }

  /** Properties that are undefined are not there. */
  #properties(value: Readonly<Record<string, unknown>>, depth: number): void {
    let length = 0;
    for (const _ in value) length += 1;
    this.#count(length);
    const offset = this.#at - this.#start;
    this.#header(length, 0x80, 16, 0xde);
    let name = "";
    let written = 0;
    try {
      for (name in value) {
        if (!Object.hasOwn(value, name)) continue;
        const property = value[name];
        if (property === undefined) continue;
        requireKey(name);
        this.#text(name);
        this.#value(property, depth);
        written += 1;
      }
    } catch (thrown) {
      throw OddValue.within(thrown, value, name);
    }
    if (written !== length) this.#patch(offset, length, written);
  }

  /** The header of an object once more, in as many bytes as it was written with. */
  #patch(offset: number, planned: number, written: number): void {
    if (written > planned) throw OddValue.changed();
    const at = this.#start + offset;
    if (planned < 16) this.#bytes[at] = 0x80 | written;
    else if (planned < 0x10000) this.#view.setUint16(at + 1, written);
    else this.#view.setUint32(at + 1, written);
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    const { size } = value;
    const offset = this.#extension(mapExtension, 2 * size);
    let left = size;
    let at: unknown;
    try {
      for (const [key, element] of value) {
        at = key;
        if (left-- === 0) throw OddValue.changed();
        requireMapKey(key);
        this.#value(key, depth);
        this.#value(element, depth);
      }
    } catch (thrown) {
      throw OddValue.within(thrown, value, mapSegment(at));
    }
    this.#endExtension(offset, left);
  }

  #set(value: ReadonlySet<unknown>, depth: number): void {
    const offset = this.#extension(setExtension, value.size);
    let left = value.size;
    try {
      for (const element of value) {
        if (left-- === 0) throw OddValue.changed();
        this.#value(element, depth);
      }
    } catch (thrown) {
      throw OddValue.within(thrown, value, "values()");
    }
    this.#endExtension(offset, left);
  }

  /**
   * Writes a sealed part whose own parts count as none: a value that was accepted is stored also
   * when it is sealed.
   */
  #sealed(value: Sealed, depth: number): void {
    this.#room(6);
    const offset = this.#at - this.#start + 1;
    this.#bytes[this.#at] = 0xc9;
    this.#bytes[this.#at + 5] = sealedExtension;
    this.#at += 6;
    this.#value(toWireSealed(value), Math.max(0, depth - 2));
    this.#endExtension(offset, 0);
  }

  /** Begin an extension of so many elements. Returns where its length has to be written. */
  #extension(type: number, length: number): number {
    this.#count(length);
    this.#room(6);
    const offset = this.#at - this.#start + 1;
    this.#bytes[this.#at] = 0xc9;
    this.#bytes[this.#at + 5] = type;
    this.#at += 6;
    this.#header(length, 0x90, 16, 0xdc);
    return offset;
  }

  #endExtension(offset: number, left: number): void {
    if (left !== 0) throw OddValue.changed();
    const at = this.#start + offset;
    this.#view.setUint32(at, this.#at - at - 5);
  }

  #number(value: number): void {
    this.#room(9);
    // −0 would lose its sign as an integer.
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) return this.#unsigned(value);
    if (value >> 0 === value && value !== 0) return this.#negative(value);
    this.#bytes[this.#at] = 0xcb;
    this.#view.setFloat64(this.#at + 1, value);
    this.#at += 9;
  }

  #unsigned(value: number): void {
    const bytes = this.#bytes;
    if (value < 0x80) bytes[this.#at++] = value;
    else if (value < 0x100) {
      bytes[this.#at++] = 0xcc;
      bytes[this.#at++] = value;
    } else if (value < 0x10000) {
      bytes[this.#at++] = 0xcd;
      bytes[this.#at++] = value >> 8;
      bytes[this.#at++] = value & 0xff;
    } else {
      bytes[this.#at] = 0xce;
      this.#view.setUint32(this.#at + 1, value);
      this.#at += 5;
    }
  }

  #negative(value: number): void {
    const bytes = this.#bytes;
    if (value >= -0x20) bytes[this.#at++] = value + 0x100;
    else if (value >= -0x80) {
      bytes[this.#at++] = 0xd0;
      bytes[this.#at++] = value + 0x100;
    } else if (value >= -0x8000) {
      bytes[this.#at] = 0xd1;
      this.#view.setInt16(this.#at + 1, value);
      this.#at += 3;
    } else {
      bytes[this.#at] = 0xd2;
      this.#view.setInt32(this.#at + 1, value);
      this.#at += 5;
    }
  }

  #text(value: string): void {
    const { length } = value;
    if (length < shortText && this.#ascii(value, length)) return undefined;
    requireWellFormed(value);
    const bytes = Buffer.byteLength(value);
    this.#room(bytes + 5);
    this.#textHeader(bytes);
    this.#at += this.#bytes.write(value, this.#at);
    return undefined;
  }

  /** Write a short text, if it is ASCII: most names and ids are. */
  #ascii(value: string, length: number): boolean {
    this.#room(length + 2);
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    if (length < 32) bytes[at++] = 0xa0 | length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #textHeader(length: number): void {
    const bytes = this.#bytes;
    if (length < 32) bytes[this.#at++] = 0xa0 | length;
    else if (length < 0x100) {
      bytes[this.#at++] = 0xd9;
      bytes[this.#at++] = length;
    } else this.#long(0xda, length);
  }

  #binary(value: Uint8Array): void {
    const { length } = value;
    this.#room(length + 5);
    if (length < 0x100) {
      this.#bytes[this.#at++] = 0xc4;
      this.#bytes[this.#at++] = length;
    } else this.#long(0xc5, length);
    this.#bytes.set(value, this.#at);
    this.#at += length;
  }

  /** Seconds and nanoseconds since the epoch, in the shortest of the three forms. */
  #date(value: Date): void {
    const time = timeOf(value);
    const seconds = Math.floor(time / 1000);
    const nanoseconds = (time - seconds * 1000) * 1_000_000;
    this.#room(15);
    const { at, view } = { at: this.#at, view: this.#view };
    const bytes = this.#bytes;
    if (seconds >= 0 && seconds < 0x100000000 && nanoseconds === 0) {
      bytes[at] = 0xd6;
      bytes[at + 1] = timestampExtension;
      view.setUint32(at + 2, seconds);
      this.#at += 6;
    } else if (seconds >= 0 && seconds < 0x400000000) {
      bytes[at] = 0xd7;
      bytes[at + 1] = timestampExtension;
      view.setUint32(at + 2, nanoseconds * 4 + Math.floor(seconds / 0x100000000));
      view.setUint32(at + 6, seconds % 0x100000000);
      this.#at += 10;
    } else {
      bytes[at] = 0xc7;
      bytes[at + 1] = 12;
      bytes[at + 2] = timestampExtension;
      view.setUint32(at + 3, nanoseconds);
      view.setBigInt64(at + 7, BigInt(seconds));
      this.#at += 15;
    }
  }

  /** Writes the header of an array or map. */
  #header(length: number, short: number, shortLimit: number, long: number): void {
    this.#room(5);
    if (length < shortLimit) this.#bytes[this.#at++] = short | length;
    else this.#long(long, length);
  }

  /** A length of 16 bits, or of 32 with the kind behind. */
  #long(kind: number, length: number): void {
    if (length < 0x10000) {
      this.#bytes[this.#at] = kind;
      this.#view.setUint16(this.#at + 1, length);
      this.#at += 3;
    } else {
      this.#bytes[this.#at] = kind + 1;
      this.#view.setUint32(this.#at + 1, length);
      this.#at += 5;
    }
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts > this.#limits.parts) throw OddValue.size(this.#limits.parts);
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const used = this.#at - this.#start;
    if (used + bytes > payloadBytesMax) throw OddValue.bytes(payloadBytesMax);
    this.#grow(used, used + bytes);
  }

  /** Moves the bytes of this value that are written already to larger memory. */
  #grow(used: number, bytes: number): void {
    const large = this.#large;
    this.#large = undefined;
    const target =
      large !== undefined && large.length >= bytes ? large : Buffer.allocUnsafeSlow(2 * bytes);
    this.#bytes.copy(target, 0, this.#start, this.#at);
    this.#slab ??= { bytes: this.#bytes, start: this.#start };
    this.#use(target);
    this.#start = 0;
    this.#at = used;
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/** Memory for small values, and the rest of it that another one needs to begin. */
const slabBytes = 8192;
const roomMin = 512;
/** Memory for a large value that is kept for the next. */
const largeKeptBytes = 1024 * 1024;
/** Characters up to which a loop is quicker than the call of a built-in. */
const shortText = 48;

function viewOf({ buffer, byteLength, byteOffset }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
