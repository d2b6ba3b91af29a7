/**
 * Identity of a log as a worker's records and ids name it: the log, and the digests of the
 * namespace. Learnt when the worker starts, and again when the log was made anew.
 */
import type { Random } from "../../clock/random.ts";
import { digestKeyOf } from "../../log/digest-key.ts";
import type { Log } from "../../log/log.ts";
import type { Digests } from "../../wire/digests.ts";
import { digestsOf } from "../../wire/digests.ts";

interface LogIdentityParts {
  readonly log: Pick<Log, "cell" | "id" | "writeCell">;
  readonly random: Random;
}

export class LogIdentity {
  readonly #log: Pick<Log, "cell" | "id" | "writeCell">;
  readonly #random: Random;
  #id = "";
  #digests: Digests | undefined;

  constructor({ log, random }: LogIdentityParts) {
    this.#log = log;
    this.#random = random;
  }

  /** The log's id in records, steps and idempotency keys, as `Log.id` says it. */
  get id(): string {
    return this.#id;
  }

  get digests(): Digests {
    if (this.#digests === undefined) throw new Error("Turns run before their log is known.");
    return this.#digests;
  }

  /** Asks the log for its end, and learns the identity. @throws LogUnavailableError */
  async learn(): Promise<void> {
    this.#digests = digestsOf(await digestKeyOf(this.#log, this.#random));
    this.#id = this.#log.id;
  }
}
