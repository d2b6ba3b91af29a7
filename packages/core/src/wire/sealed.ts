/**
 * A sealed part of a stored value: bytes that only the keys of the people they are about can open.
 *
 * It says by itself which keys those are and what stands in its place once one of them is erased.
 * So opening needs no schema, and an erased part looks the same to every reader and every version
 * of the code: its look was chosen when the part was sealed (I8). It is data like any other
 * (VALUE-1): copied, encoded and decoded as it is by whoever does not open it.
 */

/** The key that a part was sealed with. */
export interface KeyReference {
  /** Name of the key in the key store: made of the subject's name, without telling it. */
  readonly name: string;
  /** Tells a subject's keys apart: after an erasure it may get another one. */
  readonly id: string;
}

export class Sealed {
  /** All of them are needed: one that is erased erases the part. */
  readonly keys: readonly KeyReference[];
  /** Nonce, ciphertext and tag. */
  readonly box: Uint8Array;
  /** Value that stands in its place once it is erased. */
  readonly erased: unknown;

  constructor(keys: readonly KeyReference[], box: Uint8Array, erased: unknown) {
    this.keys = Object.freeze(keys.map(({ id, name }) => Object.freeze({ name, id })));
    this.box = box;
    this.erased = erased;
    Object.freeze(this);
    made += 1;
  }

  /** Text for a person or a tool that does not open it. */
  toJSON(): string {
    return "(sealed)";
  }
}

let made = 0;

/**
 * Number of sealed parts that were made in this process: a decoder sees by it whether there is
 * anything to open, and looks through no value in vain.
 */
export function sealedMade(): number {
  return made;
}

/** Format, keys as name and id in turn, box, placeholder. */
type WireSealed = readonly [number, readonly string[], Uint8Array, unknown];

const format = 1;

export function toWireSealed({ box, erased, keys }: Sealed): WireSealed {
  return [format, keys.flatMap(({ id, name }) => [name, id]), box, erased];
}

/** @throws Error for anything else, also for a newer format */
export function fromWireSealed(wire: unknown): Sealed {
  const [version, names, box, erased] = Array.isArray(wire) ? (wire as unknown[]) : [];
  if (version !== format) throw new Error("a sealed part is of a format that is not known here");
  const isRight =
    Array.isArray(names) &&
    names.length > 0 &&
    names.length % 2 === 0 &&
    names.every((each) => typeof each === "string") &&
    box instanceof Uint8Array;
  if (!isRight) throw new Error("a sealed part names no keys, or has no content");
  const keys: KeyReference[] = [];
  for (let at = 0; at < names.length; at += 2) {
    keys.push({ name: names[at] as string, id: names[at + 1] as string });
  }
  return new Sealed(keys, box, erased);
}
