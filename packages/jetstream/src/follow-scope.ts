/**
 * Filters with which a follower of several types or kinds asks the server. Far behind the end of
 * the stream a consumer with several filters costs the server many times as much as one filter does
 * (reader-scope.ts, and "Reading" in DESIGN.md): so there it reads all that one filter covers, and
 * leaves out here the messages that do not match.
 */
export class FollowScope {
  readonly #wanted: readonly string[];
  readonly #covering: readonly string[];
  /** Beginnings of matching subjects after their partition; none when all match. */
  readonly #beginnings: readonly string[];
  /** Index at which the partition begins. */
  readonly #partition: number;
  #isNarrow = true;

  /** @param filters of `<namespace>.*.<rest>.>`, or one of any form */
  constructor(namespace: string, filters: readonly string[]) {
    this.#wanted = filters;
    this.#partition = namespace.length + 1;
    const everywhere = `${namespace}.*.`;
    const isOne = filters.length === 1;
    const rests = filters.map((filter) => filter.slice(everywhere.length, -1));
    this.#beginnings = isOne ? [] : rests;
    this.#covering = [`${everywhere}${isOne ? "" : commonTokens(rests)}>`];
  }

  /** Filters of the next consumer. */
  get filters(): readonly string[] {
    return this.#isNarrow ? this.#wanted : this.#covering;
  }

  /** So much is left; true when other filters are better from now on. */
  left(pending: number): boolean {
    if (this.#wanted.length === 1) return false;
    const isNarrow = this.#isNarrow ? pending < farMin : pending <= nearMax;
    const isOther = isNarrow !== this.#isNarrow;
    this.#isNarrow = isNarrow;
    return isOther;
  }

  matches(subject: string): boolean {
    if (this.#beginnings.length === 0) return true;
    const rest = subject.indexOf(".", this.#partition) + 1;
    return this.#beginnings.some((beginning) => subject.startsWith(beginning, rest));
  }
}

/** `journal.` of `journal.account.` and `journal.order.` */
function commonTokens(rests: readonly string[]): string {
  const [first = "", ...others] = rests;
  const tokens = first.split(".");
  const differs = (_: string, index: number): boolean => {
    const beginning = `${tokens.slice(0, index + 1).join(".")}.`;
    return !others.every((other) => other.startsWith(beginning));
  };
  const end = tokens.findIndex(differs);
  return tokens
    .slice(0, Math.max(0, end))
    .map((token) => `${token}.`)
    .join("");
}

/** Messages that are left when a follower is far behind. */
const farMin = 4096;
/** Messages that are left, also those that do not match, when it is near the end. */
const nearMax = 256;
