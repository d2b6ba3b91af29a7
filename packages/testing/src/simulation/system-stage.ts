/** The stage for a system's drive, in virtual time. */
import { delay, requireNumber } from "@troupe/core/engine";
import { atLeastZero } from "@troupe/core/log";
import type { MemoryBroker } from "../memory/memory-broker.ts";
import type { Agenda, VirtualClock } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import { chanceOf } from "./chance.ts";
import type { StepInfo } from "@troupe/core";
import type { EffectLedger } from "./effect-ledger.ts";
import { effectPlace } from "./effect-ledger.ts";
import type { Stage } from "./system.ts";
import type { World } from "./world.ts";

export interface SystemStageHost {
  readonly seed: number;
  readonly world: World;
  readonly agenda: Agenda;
  readonly clock: VirtualClock;
  readonly effects: EffectLedger;
  /** Actions to leave out. */
  readonly without: ReadonlySet<number>;
}

export class SystemStage implements Stage {
  readonly seed: number;
  readonly chance: Chance;
  readonly broker: MemoryBroker;
  /** Numbers of the actions that were not left out. */
  readonly actions: number[] = [];
  readonly #host: SystemStageHost;
  #actionsSoFar = 0;

  constructor(host: SystemStageHost) {
    this.#host = host;
    this.seed = host.seed;
    this.chance = chanceOf(host.seed, "drive");
    this.broker = host.world.broker;
  }

  now(): number {
    return this.#host.agenda.now();
  }

  wait(delayMs: number): Promise<void> {
    requireNumber("What a simulation waits", delayMs, delay);
    const place = effectPlace.getStore();
    return new Promise((resolve) => {
      if (place === undefined) this.#host.clock.after(delayMs, resolve);
      else place.clock.sleep(delayMs, resolve);
    });
  }

  async times(
    count: number,
    action: (index: number, chance: Chance) => Promise<unknown>,
    { withinMs = 1000 }: { readonly withinMs?: number } = {},
  ): Promise<void> {
    requireNumber("The count of a simulation's actions", count, atLeastZero);
    requireNumber("A simulation's withinMs", withinMs, delay);
    const first = this.#actionsSoFar;
    this.#actionsSoFar += count;
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const number = first + index;
        if (this.#host.without.has(number)) return;
        this.actions.push(number);
        const chance = chanceOf(this.seed, `action ${number}`);
        await this.wait(chance.next() * withinMs);
        await action(index, chance);
      }),
    );
  }

  effect(step: StepInfo, withinMs = 20): Promise<string> {
    return this.#host.effects.run(step, withinMs);
  }

  stopWorkers(): Promise<void> {
    return this.#host.world.stopWorkers();
  }

  startWorkers(): void {
    this.#host.world.startWorkers();
  }
}
