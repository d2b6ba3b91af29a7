/**
 * Definition of a storable value (I12): one for messages, replies, events, states, results of
 * steps, data of failures and values of projections.
 *
 *  VALUE-1 Storable are: null, undefined, booleans, every number (−0, NaN and the infinities too),
 *     well-formed strings, valid dates, `Uint8Array`, arrays without holes, plain objects with
 *     string keys, Maps with primitive keys, Sets, and sealed parts (`sealed.ts`), which cannot be
 *     changed.
 *  VALUE-2 The *stored form* is the one that everybody sees, the first reader included: a copy in
 *     which an object has no property that is undefined, bytes are a `Uint8Array` (also those of a
 *     `Buffer`), and objects are ordinary ones. Encoding and decoding it changes nothing.
 *  VALUE-3 Anything else is refused where it is given, with its path: functions, symbols, bigints,
 *     promises, instances of classes, lone surrogates, a key `__proto__`, what holds itself, is
 *     nested too deep or has too many parts.
 *  VALUE-4 An accessor is read once. Elements are all that is stored of an array, enumerable string
 *          keys of an object.
 *  VALUE-5 A value that was accepted once cannot change: arrays and objects are frozen. Dates,
 *     bytes, Maps and Sets cannot be, so user code gets copies of those (`handedOut`), and nothing
 *     is paid where there are none.
 */
import { types } from "node:util";

import { NotStorableError } from "../errors/message-errors.ts";
import { OddValue } from "./odd-value.ts";
import { Sealed } from "./sealed.ts";
import { isLoose, levelsOf, markOf, setMark } from "./stored-mark.ts";

/** Most arrays, objects, Maps and Sets around each other in one value. */
export const depthMax = 128;
/** Most elements and properties of one value, all levels together. */
export const partsMax = 1_000_000;

/** Kind of an object, of those that are storable. */
export type Form = "array" | "object" | "date" | "bytes" | "map" | "set" | "sealed";

/**
 * The stored form of a value: a frozen copy, for what is kept. Parts that are in stored form
 * already are not copied again.
 *
 * @param what begins the message of the error: "The reply of account/alice"
 * @throws NotStorableError
 */
export function stored(value: unknown, what: string): unknown {
  return copied(value, what, true);
}

/** The stored form of a value, for one who may change it. @throws NotStorableError */
export function storedCopy(value: unknown, what: string): unknown {
  return copied(value, what, false);
}

/**
 * A stored value as user code gets it: nothing that it does to it reaches anybody else (VALUE-5).
 * Frozen data goes as it is; a part that cannot be frozen is copied, with all that hold it.
 */
export function handedOut(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const mark = markOf(value);
  if (mark !== undefined) return isLoose(mark) ? holdersCopy(value) : value;
  return bareCopy(value);
}

/** Kind of an object. @throws OddValue */
export function formOf(value: object): Form {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype === Array.prototype || isForeignArray(prototype)) return "array";
    throw OddValue.object(value);
  }
  if (prototype === Object.prototype || prototype === null) return "object";
  if (prototype === Sealed.prototype) return "sealed";
  const form = builtInForm(value, prototype) ?? (isForeignObject(prototype) ? "object" : undefined);
  if (form === undefined) throw OddValue.object(value);
  return form;
}

function builtInForm(value: object, prototype: unknown): Form | undefined {
  if (prototype === Date.prototype) return types.isDate(value) ? "date" : undefined;
  if (prototype === Map.prototype) return types.isMap(value) ? "map" : undefined;
  if (prototype === Set.prototype) return types.isSet(value) ? "set" : undefined;
  if (!types.isUint8Array(value)) return undefined;
  return prototype === Uint8Array.prototype || Buffer.isBuffer(value) ? "bytes" : undefined;
}

/** The same plain object, of another realm such as `node:vm`. */
function isForeignObject(prototype: unknown): boolean {
  return (
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "isPrototypeOf") &&
    !types.isProxy(prototype)
  );
}

/** `Array.prototype` is an array itself, the prototype of a class that extends it is not. */
function isForeignArray(prototype: unknown): boolean {
  return Array.isArray(prototype) && isForeignObject(Object.getPrototypeOf(prototype));
}

/** @throws OddValue unless the string can be written as UTF-8 */
export function requireWellFormed(text: string): void {
  if (!text.isWellFormed()) throw OddValue.text();
}

/** @throws OddValue for a key that would be another object's prototype */
export function requireKey(key: string): void {
  if (key === "__proto__") throw OddValue.key();
  if (!key.isWellFormed()) throw OddValue.text();
}

/** Requires a key that Maps compare by value. @throws OddValue */
export function requireMapKey(key: unknown): void {
  if (typeof key === "object" && key !== null) throw OddValue.mapKey();
}

/** Name of a Map's value in a path. */
export function mapSegment(key: unknown): string {
  if (typeof key === "string") return `get(${key})`;
  return `get(${typeof key === "number" ? key : typeof key})`;
}

/** Milliseconds of a date. @throws OddValue for one that is none */
export function timeOf(date: Date): number {
  const time = date.getTime();
  if (Number.isNaN(time)) throw OddValue.date();
  return time;
}

interface Walk {
  readonly freeze: boolean;
  parts: number;
  /** Set when a part was met that cannot be frozen. */
  loose: boolean;
  /** The deepest level that was met. */
  deepest: number;
}

function copied(value: unknown, what: string, freeze: boolean): unknown {
  // The usual small ones need nothing.
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  try {
    return copyOf(value, { freeze, parts: 0, loose: false, deepest: 0 }, 0);
  } catch (thrown) {
    throw notStorable(thrown, what);
  }
}

/** The odd part of a value, as an error for the code that gave the value. */
export function notStorable(thrown: unknown, what: string): unknown {
  if (!(thrown instanceof OddValue)) return thrown;
  const { cyclic, message, path } = thrown;
  const where = path === "" ? "it" : path;
  const why = cyclic ? "holds itself: store an id of it." : message;
  return new NotStorableError(`${what} cannot be stored: ${where} ${why}`, {
    details: { what, path },
    cause: thrown.cause,
  });
}

function copyOf(value: unknown, walk: Walk, depth: number): unknown {
  switch (typeof value) {
    case "string":
      requireWellFormed(value);
      return value;
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "object":
      return value === null ? null : copyOfObject(value, walk, depth);
    case "bigint":
    case "function":
    case "symbol":
    default:
      throw OddValue.scalar(value);
  }
}

function copyOfObject(value: object, walk: Walk, depth: number): unknown {
  const mark = walk.freeze ? markOf(value) : undefined;
  if (mark !== undefined) return settledPart(value, mark, walk, depth);
  const form = formOf(value);
  if (form === "date") {
    walk.loose = true;
    return new Date(timeOf(value as Date));
  }
  if (form === "bytes") {
    walk.loose = true;
    return new Uint8Array(value as Uint8Array);
  }
  if (form === "sealed") return value;
  reach(walk, depth + 1);
  if (form === "map") return copyOfMap(value as Map<unknown, unknown>, walk, depth + 1);
  if (form === "set") return copyOfSet(value as Set<unknown>, walk, depth + 1);
  const { deepest, loose } = walk;
  walk.loose = false;
  walk.deepest = depth + 1;
  const copy =
    form === "array"
      ? copyOfArray(value as unknown[], walk, depth + 1)
      : copyOfProperties(value as Readonly<Record<string, unknown>>, walk, depth + 1);
  if (walk.freeze) {
    setMark(copy, { levels: walk.deepest - depth, loose: walk.loose });
    Object.freeze(copy);
  }
  walk.loose ||= loose;
  walk.deepest = Math.max(walk.deepest, deepest);
  return copy;
}

/** A part that was copied and frozen before, for example of the state before. */
function settledPart(value: object, mark: number, walk: Walk, depth: number): object {
  reach(walk, depth + levelsOf(mark));
  walk.loose ||= isLoose(mark);
  return value;
}

function reach(walk: Walk, depth: number): void {
  if (depth > depthMax) throw OddValue.depth(depthMax);
  if (depth > walk.deepest) walk.deepest = depth;
}

function copyOfArray(value: readonly unknown[], walk: Walk, depth: number): unknown[] {
  const { length } = value;
  count(walk, length);
  const copy: unknown[] = [];
  let index = 0;
  try {
    for (; index < length; index++) {
      const element = value[index];
      if (element === undefined && !(index in value)) throw OddValue.hole();
      copy.push(copyOf(element, walk, depth));
    }
  } catch (thrown) {
    throw OddValue.within(thrown, value, index);
  }
  return copy;
}

function copyOfProperties(
  value: Readonly<Record<string, unknown>>,
  walk: Walk,
  depth: number,
): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let name = "";
  try {
    for (name in value) {
      if (!Object.hasOwn(value, name)) continue;
      const property = copyOf(value[name], walk, depth);
      if (property === undefined) continue;
      requireKey(name);
      count(walk, 1);
      copy[name] = property;
    }
  } catch (thrown) {
    throw OddValue.within(thrown, value, name);
  }
  return copy;
}

function copyOfMap(
  value: ReadonlyMap<unknown, unknown>,
  walk: Walk,
  depth: number,
): Map<unknown, unknown> {
  count(walk, 2 * value.size);
  const copy = new Map<unknown, unknown>();
  let at: unknown;
  try {
    for (const [key, element] of value) {
      at = key;
      requireMapKey(key);
      copy.set(copyOf(key, walk, depth), copyOf(element, walk, depth));
    }
  } catch (thrown) {
    throw OddValue.within(thrown, value, mapSegment(at));
  }
  walk.loose = true;
  return copy;
}

function copyOfSet(value: ReadonlySet<unknown>, walk: Walk, depth: number): Set<unknown> {
  count(walk, value.size);
  const copy = new Set<unknown>();
  try {
    for (const element of value) copy.add(copyOf(element, walk, depth));
  } catch (thrown) {
    throw OddValue.within(thrown, value, "values()");
  }
  walk.loose = true;
  return copy;
}

function count(walk: Walk, parts: number): void {
  walk.parts += parts;
  if (walk.parts > partsMax) throw OddValue.size(partsMax);
}

/** An array or object that holds something that cannot be frozen: frozen, like the original. */
function holdersCopy(value: object): object {
  if (Array.isArray(value)) return Object.freeze(value.map(handedOut));
  const copy: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(value)) copy[name] = handedOut(property);
  return Object.freeze(copy);
}

/** Of what cannot be frozen. Any other object was read from the log for its one reader. */
function bareCopy(value: object): object {
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    for (const [key, element] of value) copy.set(key, handedOut(element));
    return copy;
  }
  if (value instanceof Set) return new Set([...value].map(handedOut));
  if (value instanceof Date) return new Date(value);
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}
