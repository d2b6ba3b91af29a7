/**
 * Handlers of an agent type that return at once. They never wait, so they need no permit, and those
 * that wait for models cannot hold them up. A handler is known once it has returned; one that was
 * ever seen to wait counts as one that waits.
 */
import type { Delivery } from "./delivery.ts";

type Pace = "at once" | "later";

export class HandlerPaces {
  readonly #ofMessages = new Map<string, Pace>();
  readonly #ofTopics = new Map<string, Pace>();

  /** Whether the handler of this message is known to return at once. */
  isQuick({ input }: Delivery): boolean {
    const { address, metadata } = input;
    const topic = address.kind === "topic" ? address.name : metadata.topic;
    return topic === undefined
      ? this.#ofMessages.get(metadata.message ?? "") === "at once"
      : this.#ofTopics.get(topic) === "at once";
  }

  /** A handler returned, its reply or a promise of it. */
  returned({ message, topic }: Handled, pace: Pace): void {
    const paces = topic === undefined ? this.#ofMessages : this.#ofTopics;
    if (paces.get(message) !== "later") paces.set(message, pace);
  }
}

/** Input that was handled: a message, or a publication; `message` is then the topic's name. */
interface Handled {
  readonly message: string;
  readonly topic: string | undefined;
}
