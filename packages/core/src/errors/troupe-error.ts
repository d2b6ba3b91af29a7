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
 * Any thrown value as data: a Troupe error keeps its code, everything else becomes
 * `handler-failed`.
 */
export function errorData(thrown: unknown): ErrorData {
  if (thrown instanceof TroupeError) return thrown.toData();
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "handler-failed", message, retryable: false };
}
