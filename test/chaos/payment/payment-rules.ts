/**
 * Rules of what payers should make of their commands, and whether each was charged exactly once.
 *
 * The ledger of the service is the truth about charges, the journals about payments; a command has
 * to stand in both, once, with the same receipt.
 */
import { isDeepStrictEqual } from "node:util";

import { idempotencyKeyOf } from "@troupe/core/engine";
import { parseAgentName } from "@troupe/core/log";
import type { TurnRecord } from "@troupe/core/operate";

import type { Findings } from "../findings.ts";
import type { AgentRules } from "../journal-check.ts";
import type { StoredInput, StoredSteps } from "../stream-reader.ts";
import { emptyBalance, type Balance, type Payment } from "./payer.ts";
import type { Attempts, Charge } from "./payment-service-settings.ts";

export class PaymentRules implements AgentRules {
  /** Commands that have their turn. */
  committed = 0;
  chargedTwice = 0;
  ranAgain = 0;
  /** Of those, how often by the worker that recorded it: "Known limits" names no such case. */
  beyondLimits = 0;
  readonly #findings: Findings;
  readonly #charges: ReadonlyMap<string, readonly Charge[]>;
  readonly #attempts: ReadonlyMap<string, Attempts>;
  readonly #commands = new Set<string>();
  readonly #balances = new Map<string, Balance>();

  constructor(findings: Findings, ledger: readonly Charge[], attempts: readonly Attempts[]) {
    this.#findings = findings;
    this.#charges = Map.groupBy(ledger, ({ command }) => command);
    this.#attempts = new Map(attempts.map((each) => [each.key, each]));
  }

  input({ agent, message, value }: StoredInput): void {
    if (message === "report") return;
    const { command } = value as Payment;
    if (this.#commands.has(command)) {
      this.#findings.add("duplicated", `the command ${command} for ${agent}`);
    }
    this.#commands.add(command);
  }

  turn({ agent, message, value }: StoredInput, record: TurnRecord): void {
    const balance = this.#balances.get(agent) ?? emptyBalance;
    if (message === "report") return this.#expect(`state of ${agent}`, record.reply, balance);
    const payment = value as Payment;
    const [charge] = this.#charges.get(payment.command) ?? [];
    const data = { ...payment, receipt: charge?.receipt };
    const events = record.events.map((event) => ({ type: event.type, data: event.data }));
    this.#expect(`events of ${agent}`, events, [{ type: "paid", data }]);
    this.#expect(`reply of ${agent}`, record.reply, charge?.receipt);
    const { cents, count } = balance;
    this.#balances.set(agent, { count: count + 1, cents: cents + payment.cents });
    this.committed += 1;
  }

  /** Whether a charge was asked for again after its result was recorded. */
  steps({ agent, steps, storedAtMs }: StoredSteps): void {
    const id = parseAgentName(agent);
    for (const step of steps.steps) {
      const key = id && idempotencyKeyOf(steps.log, id, steps.inputPosition, step);
      const attempts = this.#attempts.get(key ?? "");
      if (attempts === undefined || attempts.lastAtMs <= storedAtMs) continue;
      this.ranAgain += 1;
      // A worker that was paused or cut off cannot know; who recorded it does.
      if (attempts.lastBy !== steps.worker) continue;
      this.beyondLimits += 1;
      this.#findings.add("wrong", `${steps.worker} charged ${key} again after its own record`);
    }
  }

  /** After all entries: accepted commands are there, and charges are for commands, one for each. */
  end(accepted: Iterable<string>): void {
    for (const command of accepted) {
      if (!this.#commands.has(command)) this.#findings.add("lost", `the command ${command}`);
    }
    for (const command of this.#commands) {
      const count = this.#charges.get(command)?.length ?? 0;
      if (count === 0) this.#findings.add("lost", `the charge of ${command}`);
      if (count < 2) continue;
      this.chargedTwice += 1;
      this.#findings.add("wrong", `${command} was charged ${count} times`);
    }
    for (const command of this.#charges.keys()) {
      if (!this.#commands.has(command)) {
        this.#findings.add("wrong", `${command} was charged but never commanded`);
      }
    }
  }

  #expect(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return;
    const [is, should] = [actual, expected].map((each) => JSON.stringify(each));
    this.#findings.add("wrong", `${what}: ${is} instead of ${should}`);
  }
}
