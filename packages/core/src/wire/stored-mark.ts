/**
 * A mark on arrays and objects that are in stored form: frozen, and so is all below them. It is a
 * private field that is put on an object of another class: nobody else sees it, a copy does not
 * have it, and it costs a thirtieth of an entry in a WeakMap, which every event would pay.
 */

/** Facts about a part in stored form: twice its levels, and one more when it is loose. */
export type Mark = number;

/** A constructor that returns its argument as the instance. */
const Itself = function itself(object: object): object {
  return object;
} as unknown as new (object: object) => object;

class Marked extends Itself {
  readonly #mark: Mark;

  constructor(object: object, mark: Mark) {
    super(object);
    this.#mark = mark;
  }

  static markOf(object: object): Mark | undefined {
    return #mark in object ? object.#mark : undefined;
  }
}

/**
 * Mark an object, before it is frozen and once.
 *
 * @param loose whether it holds something that cannot be frozen
 */
export function setMark(
  object: object,
  { levels, loose }: { readonly levels: number; readonly loose: boolean },
): void {
  void new Marked(object, 2 * levels + (loose ? 1 : 0));
}

/** Undefined for what is not in stored form. */
export function markOf(object: object): Mark | undefined {
  return Marked.markOf(object);
}

export function isLoose(mark: Mark): boolean {
  return mark % 2 === 1;
}

/** Number of arrays and objects around each other in it, itself included. */
export function levelsOf(mark: Mark): number {
  return Math.floor(mark / 2);
}
