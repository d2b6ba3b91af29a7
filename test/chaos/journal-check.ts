/**
 * Whether every journal has exactly one turn for each of its agent's inputs, in log order, and
 * every message that a turn claims to have sent exists once.
 *
 * It is fed the stored entries one by one and keeps only what is still open: inputs without a turn,
 * and messages that only one side has mentioned. What an agent should make of an input is a
 * scenario's own rule.
 */
import type { TurnRecord } from "@troupe/core/operate";

import type { Findings } from "./findings.ts";
import type { StoredEntry, StoredInput, StoredSteps, StoredTurn } from "./stream-reader.ts";

/** Knowledge of a scenario about its agents. */
export interface AgentRules {
  /** An input, the first time it is seen. */
  input(input: StoredInput): void;
  /** The turn of an input, when it is the right one. */
  turn(input: StoredInput, record: TurnRecord): void;
}

interface OpenAgent {
  /** Inputs without a turn, in log order. */
  readonly pending: Map<number, StoredInput>;
  turns: number;
  lastHandled: number;
}

export class JournalCheck {
  turns = 0;
  readonly #agents = new Map<string, OpenAgent>();
  /** Sent messages: 1 when only a turn has mentioned it, -1 when only the input was seen. */
  readonly #sent = new Map<string, 1 | -1>();
  readonly #findings: Findings;
  readonly #rules: AgentRules;

  constructor(findings: Findings, rules: AgentRules) {
    this.#findings = findings;
    this.#rules = rules;
  }

  see(entry: StoredEntry): void {
    switch (entry.kind) {
      case "input":
        return this.#input(entry);
      case "turn":
        return this.#turn(entry);
      case "steps":
        return this.#steps(entry);
      case "stray":
        return this.#findings.add("wrong", `something was stored at ${entry.subject}`);
    }
  }

  /** Ends the check: nothing more comes, so inputs that are open are lost. */
  end(): void {
    for (const [agent, { pending }] of this.#agents) {
      for (const { message, position } of pending.values()) {
        this.#findings.add("lost", `${agent} has no turn for ${message} at ${position}`);
      }
    }
    for (const [id, mentions] of this.#sent) {
      if (mentions === 1) this.#findings.add("lost", `the message ${id} that a turn sent`);
      else this.#findings.add("duplicated", `the message ${id}: twice, or sent by no turn`);
    }
  }

  #input(input: StoredInput): void {
    this.#agent(input.agent).pending.set(input.position, input);
    if (input.sentId !== undefined) this.#mention(input.sentId, -1);
    this.#rules.input(input);
  }

  #turn({ agent, record }: StoredTurn): void {
    const known = this.#agent(agent);
    const { inputPosition, sent, turn } = record;
    this.turns += 1;
    known.turns += 1;
    for (const { id } of sent) this.#mention(id, 1);
    const input = known.pending.get(inputPosition);
    if (input === undefined) {
      const isAgain = inputPosition <= known.lastHandled;
      const text = `${agent} handled ${inputPosition}${isAgain ? " again" : ", not its own"}`;
      return this.#findings.add(isAgain ? "duplicated" : "wrong", text);
    }
    const [first] = known.pending.keys();
    if (first !== inputPosition) {
      this.#findings.add("wrong", `${agent} handled ${inputPosition} before ${first}`);
    }
    if (turn !== known.turns) {
      this.#findings.add("wrong", `${agent}: turn ${turn} at place ${known.turns}`);
    }
    known.pending.delete(inputPosition);
    known.lastHandled = Math.max(known.lastHandled, inputPosition);
    this.#rules.turn(input, record);
  }

  /** Steps stand before the turn they belong to. */
  #steps({ agent, steps }: StoredSteps): void {
    const [first] = this.#agent(agent).pending.keys();
    if (first === steps.inputPosition) return;
    const what = `${agent}: a step of ${steps.inputPosition} while ${first} is next`;
    this.#findings.add("wrong", what);
  }

  #agent(name: string): OpenAgent {
    let known = this.#agents.get(name);
    if (known === undefined) {
      known = { pending: new Map(), turns: 0, lastHandled: 0 };
      this.#agents.set(name, known);
    }
    return known;
  }

  /** A turn and its messages commit together; which of them stands first is the log's affair. */
  #mention(id: string, by: 1 | -1): void {
    const mentions = this.#sent.get(id);
    if (mentions === by) this.#findings.add("duplicated", `the message ${id}`);
    else if (mentions === undefined) this.#sent.set(id, by);
    else this.#sent.delete(id);
  }
}
