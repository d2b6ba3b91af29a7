/** The turns that a worker runs at the moment, from the inspection feed. */
import { agentName } from "@troupe/core/log";
import type { InspectionEvent } from "@troupe/core";

type Started = InspectionEvent & { readonly kind: "turn.started" };

export class RunningTurns {
  /**
   * By agent; in the order in which they started. Shown rarely, so it is not made into text yet.
   */
  readonly #running = new Map<string, Started>();
  readonly #listeners = new Set<() => void>();

  hear(event: InspectionEvent): void {
    if (event.kind === "turn.started") {
      const name = agentName(event.agent);
      this.#running.delete(name);
      this.#running.set(name, event);
      for (const listener of this.#listeners) listener();
    } else if (
      event.kind === "turn.committed" ||
      event.kind === "turn.retrying" ||
      event.kind === "turn.given-back" ||
      event.kind === "agent.parked"
    ) {
      this.#running.delete(agentName(event.agent));
    }
  }

  /** Calls the listener whenever a handler is about to run. Returns the function that ends it. */
  onStarted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The youngest ones, as people read them. */
  toString(): string {
    const shown = [...this.#running.values()].slice(-shownMax).toReversed();
    if (shown.length === 0) return "no turn";
    const more = this.#running.size - shown.length;
    return `${shown.map((each) => textOf(each)).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}

const shownMax = 3;

function textOf({ agent, inputPosition, message }: Started): string {
  return `${message} of ${agentName(agent)} (message at ${inputPosition})`;
}
