/**
 * Fields of a value by path: names joined by dots, `*` for every element of an array or every value
 * of a record, as in `address.street` and `notes.*.text`. The compiler knows which paths a schema's
 * values have, so a path that is wrong does not compile.
 */

/** A value without fields: it is sealed whole. */
type Leaf = Date | Uint8Array | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

/** Depth down to which the compiler looks, as a countdown. */
type Deeper = [never, 0, 1, 2, 3, 4];

/** The paths of a value's fields. */
export type FieldPath<Value, Depth extends number = 5> = [Depth] extends [never]
  ? never
  : Value extends Leaf
    ? never
    : Value extends readonly (infer Element)[]
      ? Below<"*", Element, Depth>
      : Value extends object
        ? string extends keyof Value
          ? Below<"*", Value[keyof Value], Depth>
          : { [Name in keyof Value & string]: Below<Name, Value[Name], Depth> }[keyof Value &
              string]
        : never;

type Below<Name extends string, Value, Depth extends number> =
  | Name
  | `${Name}.${FieldPath<NonNullable<Value>, Deeper[Depth]>}`;

/** Type of the value at a path. */
export type FieldAt<Value, Path> = Value extends readonly (infer Element)[]
  ? Path extends `*.${infer Rest}`
    ? FieldAt<NonNullable<Element>, Rest>
    : Element
  : Value extends object
    ? Path extends keyof Value
      ? Value[Path]
      : Path extends `${infer Name}.${infer Rest}`
        ? Name extends keyof Value
          ? FieldAt<NonNullable<Value[Name]>, Rest>
          : FieldAt<NonNullable<Value[keyof Value]>, Rest>
        : Value[keyof Value]
    : never;

/** A path as it is walked. */
export interface Field {
  readonly path: string;
  readonly names: readonly string[];
  /** Value that stands there once the field is erased. */
  readonly erased: unknown;
}

/**
 * The value with the part at a field replaced; a missing part stays away. Only the values on the
 * way are copied. A dot may also be part of a name: `home.address` is both, the street's number in
 * `{ home: { address } }` and what `{ "home.address": … }` has.
 */
export function withField(
  value: unknown,
  names: readonly string[],
  replace: (part: unknown) => unknown,
): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return value === undefined ? undefined : replace(value);
  if (Array.isArray(value)) {
    return name === "*" ? value.map((element) => withField(element, rest, replace)) : value;
  }
  if (!hasFields(value)) return value;
  const copy = { ...value };
  for (let length = 1; length <= names.length; length++) {
    const joined = names.slice(0, length).join(".");
    const found = joined === "*" ? Object.keys(value) : [joined];
    for (const each of found) {
      if (!Object.hasOwn(value, each)) continue;
      copy[each] = withField(copy[each], names.slice(length), replace);
    }
  }
  return copy;
}

/** A date, bytes, a map or a sealed part is one thing. */
function hasFields(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
