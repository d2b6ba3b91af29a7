/**
 * Watches what was right when the connection was made and may be changed later: a limit set on a
 * stream, a setting taken away, a stream removed. Each is said when it is found, and once more when
 * it comes back after it was gone; nothing has to be restarted afterwards.
 *
 * Only processes that read a partition watch: that is where lost messages are missed.
 */
import type { JetStreamManager } from "@nats-io/jetstream";

import type { Faults } from "./faults.ts";
import { checkStreams } from "./streams.ts";
import type { Subjects } from "./subjects.ts";

export interface WatchHost {
  readonly manager: JetStreamManager;
  readonly subjects: Subjects;
  readonly faults: Faults;
  readonly link: { readonly isUp: boolean };
  readonly readerHeartbeatMs: number;
}

export class StreamWatch {
  readonly #host: WatchHost;
  #timer: NodeJS.Timeout | undefined;
  /** Faults that there are now, and that were told. */
  #told: ReadonlySet<string> = new Set();
  #looking = false;

  constructor(host: WatchHost) {
    this.#host = host;
  }

  /** Watch from now on; calling it again changes nothing. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), this.#host.readerHeartbeatMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { faults, link, manager, subjects } = this.#host;
    if (this.#looking || !link.isUp) return;
    this.#looking = true;
    try {
      const troubles = await checkStreams(manager, subjects);
      for (const trouble of troubles) {
        if (!this.#told.has(trouble.message)) faults.tell("watching the streams", trouble);
      }
      this.#told = new Set(troubles.map(({ message }) => message));
    } catch {
      // No answer: the next part that needs the server says so.
    } finally {
      this.#looking = false;
    }
  }
}
