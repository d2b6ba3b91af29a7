/**
 * The base of every error Troupe throws on purpose.
 *
 * `code` is a literal a program can branch on, `retryable` says whether the same call may succeed
 * later, and `details` carries the ids. A message tells the event, the agent or message concerned,
 * and the remedy.
 */
import { thrownCauses, thrownFrames, thrownTitle, tryRead } from "./thrown.ts";

/** Form of an error on the wire: in a reply, a turn record or a dead letter. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Options every Troupe error takes: ids as `details`, the original as `cause`. */
export interface TroupeErrorOptions {
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** The same in every copy of this package. */
const brand = Symbol.for("@troupe/core/error");

const isOwn = Function.prototype[Symbol.hasInstance];

function isOfACopy(value: unknown, name: string): boolean {
  if (!(value instanceof Error && brand in value)) return false;
  for (let each: unknown = value; each !== null; each = Object.getPrototypeOf(each)) {
    if ((each as object).constructor.name === name) return true;
  }
  return false;
}

export abstract class TroupeError extends Error {
  /**
   * Recognises errors of another copy of this package by the names of their classes: a dependency
   * may bring a second one, whose rejections and refusals are as final as ours.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOwn.call(this, value) || tryRead(() => isOfACopy(value, this.name), false);
  }

  abstract readonly code: string;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean = false;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: TroupeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }

  /**
   * The error as data, for a reply, a turn record or a dead letter.
   *
   * @example
   * ```ts
   * if (thrown instanceof TroupeError) console.error(thrown.toData());
   * ```
   */
  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      details: this.details,
    };
  }
}

Object.defineProperty(TroupeError.prototype, brand, { value: true });

/**
 * Any thrown value as data: a Troupe error keeps its code, everything else becomes `handler-failed`
 * with the first lines of its stack and its causes, so that whoever reads the record finds the
 * line. Never throws, whatever was thrown.
 *
 * @example
 * ```ts
 * const { code, message } = errorData(thrown);
 * ```
 */
export function errorData(thrown: unknown): ErrorData {
  const known = tryRead(
    () => (thrown instanceof TroupeError ? thrown.toData() : undefined),
    undefined,
  );
  if (typeof known?.code === "string" && typeof known.message === "string") return known;
  const message = thrownTitle(thrown);
  const stack = thrownFrames(thrown);
  const causes = thrownCauses(thrown);
  const details = {
    ...(stack.length === 0 ? {} : { stack }),
    ...(causes.length === 0 ? {} : { causes }),
  };
  const isBare = stack.length === 0 && causes.length === 0;
  return { code: "handler-failed", message, retryable: true, ...(isBare ? {} : { details }) };
}

/**
 * Whether a failure stays whatever is tried: a Troupe error that is not retryable. Never throws.
 *
 * @example
 * ```ts
 * if (!isFinal(thrown)) console.log("worth another try");
 * ```
 */
export function isFinal(thrown: unknown): thrown is TroupeError {
  return tryRead(() => thrown instanceof TroupeError && !thrown.retryable, false);
}
