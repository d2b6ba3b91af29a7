/**
 * The steps that one run of a handler takes: the step that each call is, the steps that are under
 * way, and the recorded ones it used.
 *
 * A use that fails is given back: a handler that tries a step again within its run means the same
 * effect, with the same idempotency key, and a later run finds it at its first try.
 */
import { AmbiguousStepError } from "../../errors/step-errors.ts";
import type { RecordedStep, StepIdentity } from "../../journal/recorded-step.ts";
import { identityKey } from "../../journal/recorded-step.ts";

/** A use of a step within a run. */
export interface StepUse extends StepIdentity {
  readonly key: string;
  readonly order: number;
}

interface Pair {
  /** Uses that were given out. */
  taken: number;
  /** Numbers of the uses among them that failed and are not under way. */
  free: number[];
}

export class StepUses {
  readonly #pairs = new Map<string, Pair>();
  readonly #used = new Set<string>();
  readonly #underWay = new Map<string, StepUse>();
  #order = 0;

  /** A step that is over as soon as it begins. */
  draw(name: string): StepUse {
    return this.#use(name, undefined);
  }

  /** @throws AmbiguousStepError when it could be taken for one that is under way */
  begin(name: string, digest: string | undefined): StepUse {
    if (digest === undefined && this.#isUnderWay(name)) {
      throw new AmbiguousStepError(
        `A step ${name} begins while another one of this name is under way, and neither has an input to tell them apart: ctx.step(${JSON.stringify(name)}, input, effect), or another name for each.`,
        { details: { step: name } },
      );
    }
    const use = this.#use(name, digest);
    this.#underWay.set(use.key, use);
    return use;
  }

  end(use: StepUse): void {
    this.#underWay.delete(use.key);
  }

  /**
   * Gives back the use of a step that failed: the next one of this name and input is the same step.
   */
  giveBack(use: StepUse): void {
    this.end(use);
    const pair = this.#pairs.get(pairKey(use.name, use.digest));
    if (pair === undefined) return;
    pair.free = [...pair.free, use.use].toSorted((a, b) => a - b);
  }

  get underWay(): readonly StepUse[] {
    return [...this.#underWay.values()];
  }

  /** Recorded steps that this run did not take. */
  unused(recorded: Iterable<RecordedStep>): readonly StepIdentity[] {
    const unused: StepIdentity[] = [];
    for (const step of recorded) {
      const { name, digest, use } = step;
      if (!this.#used.has(identityKey(step))) unused.push({ name, digest, use });
    }
    return unused;
  }

  #use(name: string, digest: string | undefined): StepUse {
    const key = pairKey(name, digest);
    let pair = this.#pairs.get(key);
    if (pair === undefined) this.#pairs.set(key, (pair = { taken: 0, free: [] }));
    const use = pair.free.shift() ?? ++pair.taken;
    const identity = { name, digest, use };
    const taken = { ...identity, key: identityKey(identity), order: ++this.#order };
    this.#used.add(taken.key);
    return taken;
  }

  #isUnderWay(name: string): boolean {
    for (const use of this.#underWay.values()) {
      if (use.name === name && use.digest === undefined) return true;
    }
    return false;
  }
}

function pairKey(name: string, digest = ""): string {
  return `${digest}/${name}`;
}
