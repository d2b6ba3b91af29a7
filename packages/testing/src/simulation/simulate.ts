/**
 * A run of a system: a seed decides everything, so the same seed is the same run, step by step.
 *
 *  SIM-1 Everything that takes time or chance goes through the agenda and the seed's chances.
 *  SIM-2 One step happens at a time, and only after everything that the step before made possible
 *        without another step.
 *  SIM-3 Faults come at steps. They end when the drive is over and all of them came, or when
 *        nothing is left to do.
 *  SIM-4 Then everything must be handled within bounded virtual time, the log must show the
 *     invariants, and processes must stop without leaving anything behind.
 */
import { atLeastOneOrInfinite, requireNumbers } from "@troupe/core/engine";
import { atLeastOne, atLeastZero, duration } from "@troupe/core/log";
import { Agenda } from "./agenda.ts";
import { chanceOf } from "./chance.ts";
import { drained } from "./drained.ts";
import { effectFindings } from "./effect-invariants.ts";
import { EffectLedger } from "./effect-ledger.ts";
import type { Fault } from "./fault.ts";
import { describeFault } from "./fault.ts";
import { faultPlan, requireFaultOptions } from "./fault-plan.ts";
import type { Finding } from "./finding.ts";
import type { History } from "./history.ts";
import { GrowingHistory } from "./history.ts";
import { logFindings } from "./log-invariants.ts";
import { idleFindings, stoppedFindings, watchFindings } from "./process-invariants.ts";
import { RunDigest } from "./run-digest.ts";
import { SystemStage } from "./system-stage.ts";
import type { System } from "./system.ts";
import { World } from "./world.ts";

export interface SimulateOptions extends System {
  readonly seed: number;
  /** Bring these faults instead of those of the seed. */
  readonly plan?: readonly Fault[];
  /** Leave out these actions of the drive, by their numbers. */
  readonly without?: ReadonlySet<number>;
  /** Hear every step. */
  readonly onStep?: (line: string) => void;
}

export interface SimulationRun {
  readonly seed: number;
  /** Rules that do not hold; empty when all do. */
  readonly findings: readonly Finding[];
  readonly steps: number;
  /** Virtual milliseconds. */
  readonly elapsedMs: number;
  /** Digest of every step and everything on the log: the same for the same seed. */
  readonly digest: string;
  /** The faults that came. */
  readonly faults: readonly Fault[];
  /** Numbers of the drive's actions. */
  readonly actions: readonly number[];
  readonly history: History;
  /** Events outside of the log, with their virtual time in milliseconds. */
  readonly events: readonly SimulationEvent[];
}

export interface SimulationEvent {
  readonly atMs: number;
  readonly what: string;
}

const numberRules = {
  seed: atLeastZero,
  workers: atLeastOne,
  partitions: atLeastOne,
  stepsMax: atLeastOneOrInfinite,
  restMsMax: duration,
} as const;

/**
 * Run a system once. @throws DefinitionError for an option that is not usable. Never rejects
 * because of what it finds.
 *
 * @example
 * ```ts
 * const run = await simulate({ ...system, seed: 1 });
 * ```
 */
export async function simulate(options: SimulateOptions): Promise<SimulationRun> {
  requireNumbers("Simulation option ", options, numberRules);
  const { faults = {} } = options;
  requireFaultOptions(faults);
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulateOptions;
  readonly #digest = new RunDigest();
  readonly #agenda: Agenda;
  readonly #world: World;
  readonly #history: GrowingHistory;
  readonly #effects: EffectLedger;
  readonly #stage: SystemStage;
  readonly #findings: Finding[] = [];
  readonly #events: SimulationEvent[] = [];
  readonly #planned: Fault[];
  readonly #brought: Fault[] = [];
  #driving = true;

  constructor(options: SimulateOptions) {
    const { onStep, plan, seed, without } = options;
    this.#options = options;
    this.#agenda = new Agenda((what, atMs) => {
      this.#digest.step(what, atMs);
      onStep?.(`${atMs.toFixed(3)} ${what}`);
    });
    this.#world = new World({
      seed,
      system: options,
      agenda: this.#agenda,
      beside: (troupe) => void options.beside?.(troupe, this.#stage).catch(() => undefined),
      onLost: () => this.#history.restart(),
      onEvent: (what) => this.#tell(what),
    });
    const { broker, client, definitions, places } = this.#world;
    this.#history = new GrowingHistory(broker.entries(), definitions, (type, topic) =>
      this.#world.beginningOf(type, topic),
    );
    this.#planned = [...(plan ?? faultPlan(chanceOf(seed, "faults"), places, options.faults))];
    this.#effects = new EffectLedger({
      seen: (process, agent) => this.#world.watch.seen.upTo(process, agent),
      unhandledBefore: (agent, position) => this.#history.unhandledBefore(agent, position),
      clock: client.clock,
      chance: chanceOf(seed, "effects"),
    });
    this.#stage = new SystemStage({
      seed,
      world: this.#world,
      agenda: this.#agenda,
      clock: client.clock,
      effects: this.#effects,
      without: without ?? new Set(),
    });
  }

  async run(): Promise<SimulationRun> {
    const drive = this.#drive();
    const stuck = await this.#untilRest();
    if (stuck === undefined) await this.#untilStopped();
    else this.#findings.push(stuck);
    if (!this.#driving) await drive;
    this.#check();
    const steps = this.#digest;
    const { entries } = this.#history;
    return {
      seed: this.#options.seed,
      findings: this.#findings,
      steps: this.#agenda.steps,
      elapsedMs: this.#agenda.elapsedMs,
      // Only at need: it costs about as much as all checks together.
      get digest() {
        return steps.end(entries);
      },
      faults: this.#brought,
      actions: this.#stage.actions,
      history: this.#history,
      events: this.#events,
    };
  }

  async #drive(): Promise<void> {
    try {
      await this.#world.register();
      this.#world.startWorkers();
      this.#world.deployEarlier();
      await this.#options.drive(this.#world.client.troupe, this.#stage);
    } catch (thrown) {
      this.#find("drive", thrown);
    }
    this.#driving = false;
  }

  /**
   * Step until everything is handled and no fault is to come or to end. @returns why that does not
   * happen
   */
  async #untilRest(): Promise<Finding | undefined> {
    const { restMsMax = 600_000, stepsMax = 200_000 } = this.#options;
    let calmSinceMs: number | undefined;
    for (;;) {
      await drained();
      this.#bringFaults();
      this.#history.read();
      if (this.#isAtRest()) return undefined;
      if (this.#isCalm()) calmSinceMs ??= this.#calm();
      const elapsedMs = this.#agenda.elapsedMs - (calmSinceMs ?? this.#agenda.elapsedMs);
      if (elapsedMs > restMsMax) return this.#stuck(`${restMsMax} virtual ms after all faults`);
      if (this.#agenda.steps > stepsMax) return this.#stuck(`after ${stepsMax} steps`);
      if (!this.#agenda.step()) return this.#stuck("and nothing is left that could happen");
    }
  }

  #isAtRest(): boolean {
    if (this.#driving || this.#history.unhandled.size > 0) return false;
    // There is nothing left for later faults to disturb.
    this.#planned.length = 0;
    const { client, pending, processes } = this.#world;
    return pending === 0 && idleFindings(processes, client).length === 0;
  }

  /** Whether no fault is to come any more, and all are over. */
  #isCalm(): boolean {
    return !this.#driving && this.#planned.length === 0 && this.#world.pending === 0;
  }

  /** Ends all faults. */
  #calm(): number {
    this.#world.heal();
    return this.#agenda.elapsedMs;
  }

  #bringFaults(): void {
    for (let next = this.#planned[0]; next !== undefined; next = this.#planned[0]) {
      if (next.atStep > this.#agenda.steps) return;
      this.#planned.shift();
      this.#brought.push(next);
      this.#tell(`fault: ${describeFault(next)}`);
      this.#world.bring(next);
    }
  }

  #stuck(when: string): Finding {
    const unhandled = [...this.#history.unhandled];
    const idle = idleFindings(this.#world.processes, this.#world.client);
    const what = [
      ...(this.#driving ? ["the drive still waits"] : []),
      ...unhandled.slice(0, 5).map((name) => `${name} is not handled`),
      ...(unhandled.length > 5 ? [`${unhandled.length - 5} more are not handled`] : []),
      ...(unhandled.length === 0 ? idle.map((finding) => finding.what) : []),
    ];
    return { rule: "stuck", what: `${when}: ${what.join(", ")}` };
  }

  async #untilStopped(): Promise<void> {
    this.#world.end();
    const { processes } = this.#world;
    let stopped = false;
    const stopping = Promise.all(processes.map((process) => process.close()))
      .catch((thrown: unknown) => this.#find("I11", thrown))
      .finally(() => (stopped = true));
    const endMs = this.#agenda.elapsedMs + stopMsMax;
    for (;;) {
      await drained();
      if (stopped || this.#agenda.elapsedMs > endMs || !this.#agenda.step()) break;
    }
    if (!stopped) return this.#find("I11", `processes did not stop within ${stopMsMax} ms`);
    await stopping;
    this.#findings.push(...stoppedFindings(processes));
  }

  #check(): void {
    const { definitions, watch } = this.#world;
    this.#history.read();
    this.#findings.push(
      ...logFindings(this.#history, definitions),
      ...watchFindings(this.#history, watch),
      ...(watch.losses > 0 ? [] : effectFindings(this.#history, this.#effects.runs)),
    );
    if (this.#findings.length > 0) return;
    // A worker that did not know that its log was made anew stored it while it stopped.
    if (watch.losses > 0 && this.#history.unhandled.size > 0) return;
    try {
      this.#options.check?.(this.#history);
    } catch (thrown) {
      this.#find("check", thrown);
    }
  }

  #find(rule: string, thrown: unknown): void {
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    this.#findings.push({ rule, what });
  }

  #tell(what: string): void {
    this.#events.push({ atMs: this.#agenda.elapsedMs, what });
  }
}

/** Virtual time in which processes that have nothing to do must have stopped. */
const stopMsMax = 120_000;
