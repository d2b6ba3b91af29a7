/**
 * Looks into journals for asks that hear nothing (ASK-2). Asks of one agent share them: a thousand
 * that wait for it would else read its journal a thousand times. A look that comes while one is
 * under way is part of the next.
 */
import type { AgentId } from "../definition/message/address.ts";
import { agentName } from "../definition/message/address.ts";
import type { Log } from "../log/log.ts";
import type { SoughtReply } from "../engine/turn/find-reply.ts";
import { findReplies } from "../engine/turn/find-reply.ts";
import type { Reply } from "../journal/reply.ts";

interface Look {
  readonly sought: SoughtReply;
  readonly resolve: (reply: Reply | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class ReplyLooks {
  readonly #log: Log;
  /** Looks that come next, by agent, while one is under way. */
  readonly #next = new Map<string, Look[]>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The reply, when it is there. @throws what reading a journal throws */
  look(agent: AgentId, sought: SoughtReply): Promise<Reply | undefined> {
    return new Promise((resolve, reject) => {
      const name = agentName(agent);
      const look = { sought, resolve, reject };
      const next = this.#next.get(name);
      if (next !== undefined) next.push(look);
      else void this.#pass(agent, name, [look]);
    });
  }

  async #pass(agent: AgentId, name: string, looks: readonly Look[]): Promise<void> {
    const next: Look[] = [];
    this.#next.set(name, next);
    try {
      const sought = looks.map((each) => each.sought);
      const found = await findReplies(this.#log, agent, sought);
      for (const each of looks) each.resolve(found.get(each.sought));
    } catch (thrown) {
      for (const each of looks) each.reject(thrown);
    }
    this.#next.delete(name);
    if (next.length > 0) void this.#pass(agent, name, next);
  }
}
