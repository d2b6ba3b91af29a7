/**
 * The reason why a value is not storable, found deep inside: it collects the path on its way out.
 */
import { types } from "node:util";

export class OddValue extends Error {
  /** Whether only its place is wrong, so that it may hold itself. */
  readonly #deep: boolean;
  /** Holders from the innermost array or object outwards. */
  readonly #holders: { readonly holder: object; readonly segment: number | string }[] = [];

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly deep?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.#deep = options.deep ?? false;
  }

  static object(value: object): OddValue {
    if (types.isPromise(value)) return new OddValue("is a promise: await it first.");
    if (Array.isArray(value)) return new OddValue("is an array of a class: use Array.from.");
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
      return new OddValue("is binary data of another type: use a Uint8Array.");
    }
    if (value instanceof Error) {
      return new OddValue("is an error: use its message, or throw it.");
    }
    return new OddValue(`is an instance of ${classOf(value)}: use a plain object.`);
  }

  static scalar(value: unknown): OddValue {
    if (typeof value === "bigint") return new OddValue("is a bigint: use a string or a number.");
    if (typeof value === "symbol") return new OddValue("is a symbol: use a string.");
    return new OddValue("is a function: use data, or leave it out.");
  }

  static text(): OddValue {
    return new OddValue(
      "has half a surrogate pair, which is no text: use toWellFormed(), or bytes.",
    );
  }

  static key(): OddValue {
    return new OddValue('has a property "__proto__": use another name.');
  }

  static mapKey(): OddValue {
    return new OddValue(
      "is named by an object: use strings, numbers or booleans as keys of a Map.",
    );
  }

  static date(): OddValue {
    return new OddValue("is a date without a time (Invalid Date): use null, or leave it out.");
  }

  static hole(): OddValue {
    return new OddValue("is a hole in an array: use null.");
  }

  static changed(): OddValue {
    return new OddValue("changed while it was read: an accessor or a proxy of it changes it.");
  }

  static size(partsMax: number): OddValue {
    return new OddValue(
      `makes more than ${partsMax} elements and properties: keep large content elsewhere and store a reference.`,
    );
  }

  static bytes(bytesMax: number): OddValue {
    return new OddValue(
      `makes more than ${bytesMax} bytes: keep large content elsewhere and store a reference.`,
    );
  }

  static depth(levelsMax: number): OddValue {
    return new OddValue(`is nested more than ${levelsMax} levels deep: make it flatter.`, {
      deep: true,
    });
  }

  /** The same from one level further out; anything else was thrown by an accessor. */
  static within(thrown: unknown, holder: object, segment: number | string): OddValue {
    const odd =
      thrown instanceof OddValue
        ? thrown
        : new OddValue("cannot be read: its accessor threw.", { cause: thrown });
    odd.#holders.push({ holder, segment });
    return odd;
  }

  /** Whether the value holds itself. */
  get cyclic(): boolean {
    return this.#cycleEnd() !== undefined;
  }

  /** `items[3].price`; empty for the value itself. */
  get path(): string {
    const outwardsIn = this.#holders.toReversed().slice(0, this.#cycleEnd());
    const path = outwardsIn.reduce((before, { segment }) => joined(before, segment), "");
    return path.length > pathLengthMax ? `${path.slice(0, pathLengthMax)}…` : path;
  }

  /** Number of levels down to where the value holds itself for the first time. */
  #cycleEnd(): number | undefined {
    if (!this.#deep) return undefined;
    const met = new Set<object>();
    const inwards = this.#holders.toReversed();
    const again = inwards.findIndex(({ holder }) => met.size === met.add(holder).size);
    return again < 0 ? undefined : again;
  }
}

/** Characters of a path in an error, and of a name in it. */
const pathLengthMax = 256;
const nameLengthMax = 64;

function joined(path: string, segment: number | string): string {
  if (segment === "") return path;
  if (typeof segment === "number") return `${path}[${segment}]`;
  const isName = /^[\p{ID_Start}$_][\p{ID_Continue}$()[\]"]*$/u.test(segment);
  const name = segment.slice(0, nameLengthMax);
  if (!isName) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function classOf(value: object): string {
  try {
    const { constructor } = value as { readonly constructor?: unknown };
    const name = typeof constructor === "function" ? constructor.name : "";
    return name === "" || name === "Object" ? "a class" : name.slice(0, nameLengthMax);
  } catch {
    return "a class";
  }
}
