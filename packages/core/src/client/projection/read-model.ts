/** What a projection writes to, as its declaration and its sink see it. */

/**
 * Target of a projection's writes: declared with the projection, made by the sink. `Handle` is
 * passed to its handlers: the model itself, or a transaction on it.
 */
export interface ReadModel<Handle = unknown> {
  /** The kind of sink that can hold it, such as `memory` or `postgres`. */
  readonly medium: string;
  /** Only for type inference; never present at run time. */
  readonly "~handle"?: Handle;
}

/** Type of the handle that a handler of a projection into this model gets. */
export type HandleOf<Model> = Model extends ReadModel<infer Handle> ? Handle : never;
