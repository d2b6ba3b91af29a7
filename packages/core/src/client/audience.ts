/**
 * Whether anybody ever subscribed to this topic. A publication that nobody handles is stored all
 * the same, because its subscriber may come later; but a slip in a topic's name should not stay
 * unnoticed, so it is said once.
 */
import { NoSubscriberError } from "../errors/message-errors.ts";
import type { InspectionFeed } from "../engine/inspection/inspection-feed.ts";
import type { Log } from "../log/log.ts";

export class Audience {
  readonly #log: Log;
  readonly #feed: InspectionFeed;
  /** Topics that were looked up. */
  readonly #known = new Set<string>();

  constructor(log: Log, feed: InspectionFeed) {
    this.#log = log;
    this.#feed = feed;
  }

  /**
   * Told that a message is published on the topic. Costs a lookup in a set from the second time on.
   */
  published(topic: string): void {
    if (this.#known.has(topic) || this.#known.size >= topicsMax) return;
    this.#known.add(topic);
    this.#look(topic).catch(() => void this.#known.delete(topic));
  }

  async #look(topic: string): Promise<void> {
    const manifests = await this.#log.manifests();
    if (manifests.some(({ topics }) => topics.includes(topic))) return;
    const { namespace } = this.#log;
    const failure = new NoSubscriberError(
      `No agent type ever subscribed to the topic ${topic} in the namespace ${namespace}: what is published on it is stored, and nobody handles it. Start a worker that subscribes, or look for a slip in the name.`,
      { details: { topic, namespace } },
    ).toData();
    this.#feed.emit({ kind: "fault", what: `publishing on ${topic}`, failure });
  }
}

/** Names may be made up at run time (I7). */
const topicsMax = 10_000;
