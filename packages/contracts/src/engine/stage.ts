/**
 * The stage of an engine's check: clients and workers on one log, closed again at the end.
 *
 * Every program on the stage has a connection of its own, as another process would have it. Its log
 * may be tampered with, by which a check makes the log lose, refuse or hide something.
 */
import type { AgentDefinition } from "@troupe/core/engine";
import type { Troupe, TroupeOptions, InspectionEvent, WorkerOptions, Worker } from "@troupe/core";
import { createTroupe } from "@troupe/core";
import { troupeOptionRules } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import type { LogHarness } from "../log-harness.ts";
import { overlay } from "@troupe/testing";
import { until } from "../until.ts";
import { tamperedLog, type Tamper, type TamperedLog } from "./tampered-log.ts";

export interface StageHarness extends LogHarness {
  /**
   * Tampering with the log of every program on the stage; the check's own connections are not
   * affected.
   */
  readonly mutate?: Tamper;
}

export interface ClientOptions extends TroupeOptions {
  /** Wrong or watchful methods of this program's log. */
  readonly tamper?: Tamper;
}

export interface HostOptions extends ClientOptions, Omit<WorkerOptions, "id"> {
  /** Worker id. */
  readonly id?: string;
}

/** A program that hosts agents. */
export interface Host {
  readonly troupe: Troupe;
  readonly worker: Worker;
  readonly heard: Heard;
  /**
   * The process dies: from now on nothing of it reaches the log, and nothing of the log reaches it.
   */
  readonly crash: () => void;
}

type Kind = InspectionEvent["kind"];
type EventOf<K extends Kind> = Extract<InspectionEvent, { readonly kind: K }>;

/** Events of a program's inspection feed. */
export interface Heard {
  readonly events: readonly InspectionEvent[];
  of<K extends Kind>(kind: K): readonly EventOf<K>[];
  /** Resolves when at least `count` such events came. */
  has(kind: Kind, count?: number): Promise<void>;
}

/** Timings at which a check need not wait: a worker alone takes everything at once. */
const quickTimings = {
  joinDelayMs: 30,
  heartbeatMs: 40,
  deadAfterMs: 400,
  handoverTimeoutMs: 5000,
} as const;
const quickRetry = { delayMs: 2, delayMsMax: 10 } as const;

export class Stage implements AsyncDisposable {
  readonly harness: StageHarness;
  readonly #troupes = new Set<Troupe>();
  readonly #workers: Worker[] = [];

  constructor(harness: StageHarness) {
    this.harness = harness;
  }

  /** A connection of the check's own. */
  log(): Promise<Log> {
    return this.harness.connect();
  }

  async client(options: ClientOptions = {}): Promise<Troupe> {
    return (await this.#open(options)).troupe;
  }

  async host(
    agents: AgentDefinition | readonly AgentDefinition[],
    options: HostOptions = {},
  ): Promise<Host> {
    const { troupe, tampered } = await this.#open(options);
    const heard = this.listen(troupe);
    const worker = await troupe.work(agents, {
      ...(optionsWhere(options, (name) => !ofClient(name)) as WorkerOptions),
      timings: { ...quickTimings, ...options.timings },
      retry: { ...quickRetry, ...options.retry },
    });
    const crash = (): void => {
      tampered.cut();
      this.#troupes.delete(troupe);
    };
    this.#workers.push(worker);
    return { troupe, worker, heard, crash };
  }

  listen(troupe: Troupe): Heard {
    const events: InspectionEvent[] = [];
    troupe.inspect((event) => events.push(event));
    const of = <K extends Kind>(kind: K): readonly EventOf<K>[] =>
      events.filter((event): event is EventOf<K> => event.kind === kind);
    return {
      events,
      of,
      has: (kind, count = 1) =>
        this.until(`${count} events ${kind}`, () => of(kind).length >= count),
    };
  }

  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(this.harness, what, condition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Turns that a check left running on purpose must not hold up its end.
    await Promise.all(this.#workers.map((worker) => worker.stop({ drainTimeoutMs: 300 })));
    await Promise.all([...this.#troupes].map((troupe) => closeSoon(troupe)));
  }

  async #open(
    options: ClientOptions,
  ): Promise<{ readonly troupe: Troupe; readonly tampered: TamperedLog }> {
    const tampered = tamperedLog(await this.harness.connect(), options.tamper);
    const { mutate = () => ({}) } = this.harness;
    const troupe = createTroupe(overlay(tampered.log, mutate(tampered.log)), {
      onFault: false,
      ...optionsWhere(options, (name) => ofClient(name) && name !== "tamper"),
    });
    this.#troupes.add(troupe);
    return { troupe, tampered };
  }
}

/** Whether the option is one of `ClientOptions`. */
function ofClient(name: string): boolean {
  return name === "tamper" || Object.hasOwn(troupeOptionRules, name);
}

function optionsWhere(options: object, wanted: (name: string) => boolean): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => wanted(name)));
}

const closeMsMax = 5000;

async function closeSoon(troupe: Troupe): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${troupe.name} did not close in ${closeMsMax} ms.`)),
    closeMsMax,
  );
  await Promise.race([troupe.close(), late.promise]).finally(() => clearTimeout(timer));
}
