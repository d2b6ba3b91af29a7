/** Changes by the interceptors of receive while a handler runs inside of them. */
import type { IncomingCall, Interceptor } from "./interceptor.ts";
import { throughReceiveLayers } from "./interceptor.ts";
import type { Digests } from "../../wire/digests.ts";
import type { InterceptorChanges } from "../../journal/interceptor-changes.ts";

export class ReceiveChanges {
  readonly #digests: Digests;
  #isPayloadReplaced = false;
  #payload: string | undefined;
  /** Return value of the handler, when that is known. */
  #returned: { readonly value: unknown } | undefined;

  constructor(digests: Digests) {
    this.#digests = digests;
  }

  /** Run the handler inside the layers. */
  through(
    wraps: readonly NonNullable<Interceptor["receive"]>[],
    call: IncomingCall,
    handle: (payload: unknown) => unknown,
  ): unknown {
    return throughReceiveLayers(wraps, call, ({ payload }) => {
      if (payload !== call.payload) this.#replaced(payload);
      const outcome = handle(payload);
      if (outcome instanceof Promise) outcome.then((value) => this.#return(value), ignored);
      else this.#return(outcome);
      return outcome;
    });
  }

  /** @param reply what became of it in the layers; nobody knows for a turn that failed */
  changes(reply: unknown, failed: boolean): InterceptorChanges {
    const replaced: ("payload" | "reply")[] = [];
    if (this.#isPayloadReplaced) replaced.push("payload");
    if (!failed && this.#returned !== undefined && this.#returned.value !== reply) {
      replaced.push("reply");
    }
    return { receive: replaced, payload: this.#payload };
  }

  #replaced(payload: unknown): void {
    this.#isPayloadReplaced = true;
    try {
      this.#payload = this.#digests.of(payload);
    } catch {
      // It is for the handler alone, and may be anything.
      this.#payload = undefined;
    }
  }

  #return(value: unknown): void {
    this.#returned = { value };
  }
}

function ignored(): void {
  // The turn hears of it.
}
