/**
 * The base of every error Troupe throws on purpose.
 *
 * `code` is a literal a program can branch on, `retryable` says whether the same call may succeed
 * later, and `details` carries the ids. A message says what happened, to which agent or message,
 * and what to do about it.
 */

/** What an error looks like on the wire: in a reply, a turn record or a dead letter. */
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

export abstract class TroupeError extends Error {
  abstract readonly code: string;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean = false;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: TroupeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }

  /** The error as data, for a reply, a turn record or a dead letter. */
  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      details: this.details,
    };
  }
}

/**
 * Any thrown value as data: a Troupe error keeps its code, everything else becomes `handler-failed`
 * with the first lines of its stack, so that whoever reads the record finds the line.
 */
export function errorData(thrown: unknown): ErrorData {
  if (thrown instanceof TroupeError) return thrown.toData();
  const code = "handler-failed";
  if (!(thrown instanceof Error)) return { code, message: String(thrown), retryable: true };
  const message = `${thrown.name}: ${thrown.message}`;
  const stack = framesOf(thrown);
  return { code, message, retryable: true, ...(stack.length === 0 ? {} : { details: { stack } }) };
}

/** The innermost frames; a record has no room for all of them. */
function framesOf({ stack = "" }: Error): readonly string[] {
  const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, framesMax).map((line) => line.slice("    at ".length));
}

const framesMax = 5;
