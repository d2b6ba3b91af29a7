/**
 * Interest of a reader: inputs addressed to some agent types, and to the topics that any version of
 * their code subscribes to.
 *
 * So a worker that hosts few of many types gets little of what is for the others. Where it cannot
 * know yet what newer code subscribes to, see INTAKE-2 in partition-intake.ts.
 */
import type { Address } from "../../definition/message/address.ts";
import type { AgentRuntime } from "./agent-runtime.ts";
import type { Knowledge } from "./knowledge.ts";

export class Interest {
  readonly types: readonly string[];
  readonly topics: readonly string[];

  /** Interest in these types, as far as is known now. */
  static of(
    held: readonly { readonly runtime: AgentRuntime }[],
    knowledge: Pick<Knowledge, "topicsOf">,
  ): Interest {
    const types = held.map(({ runtime }) => runtime.type);
    const topics = held.flatMap(({ runtime }) => knowledge.topicsOf(runtime));
    return new Interest(types, [...new Set(topics)]);
  }

  constructor(types: readonly string[], topics: readonly string[]) {
    this.types = types;
    this.topics = topics;
  }

  has({ kind, name }: Pick<Address, "kind" | "name">): boolean {
    return (kind === "agent" ? this.types : this.topics).includes(name);
  }

  /** Whether a reader for this one gets all that is for the other one. */
  covers(other: Interest): boolean {
    return (
      other.types.every((name) => this.types.includes(name)) &&
      other.topics.every((name) => this.topics.includes(name))
    );
  }
}
