/** Options of the memory broker, and their defaults. */
import {
  systemClock,
  type Clock,
  partitionCountDefault,
  atLeastOne,
  requireOptions,
  requireShards,
} from "@troupe/core/log";
import type { LogLimits, OptionRules } from "@troupe/core/log";
import { delay } from "@troupe/core/engine";
import type { DuplicateWindowLimits } from "./duplicate-window.ts";
import { scheduleImmediate, type Schedule } from "./schedule.ts";

export interface MemoryBrokerOptions {
  /** The namespace, for messages to people. @default "memory" */
  readonly namespace?: string;
  /** Number of partitions, at least 1. @default 16 */
  readonly partitions?: number;
  /**
   * Number of shards, 1 to 256; the number of partitions is a multiple of it. @default 1
   */
  readonly shards?: number;
  /** Bounds on what the log stores. @default 1 MiB per payload, 1000 messages per commit */
  readonly limits?: Partial<LogLimits>;
  /** Time that message ids are remembered, and their number. @default 2 minutes, 100,000 ids */
  readonly duplicates?: Partial<DuplicateWindowLimits>;
  /** Most records one `journal` call returns, at least 1. @default 256 */
  readonly journalPageMax?: number;
  /**
   * Most inputs a reader hands over in one go, as a socket brings many at once; at least 1, which
   * gives a simulation the most orders to choose from. @default 64
   */
  readonly inputsAtOnceMax?: number;
  /**
   * Clock for time stamps, the age of ids, and timers. @default the system clock, which lets a
   * process end although timers are set
   */
  readonly clock?: Clock;
  /** Order and time of requests, answers and deliveries. @default one `setImmediate` each */
  readonly schedule?: Schedule;
}

export interface MemoryBrokerSettings extends Required<MemoryBrokerOptions> {
  readonly limits: LogLimits;
  readonly duplicates: DuplicateWindowLimits;
}

const delayMsMax = 2 ** 31 - 1;

/** A broker elsewhere would not keep this process alive either. */
const brokerClock: Clock = Object.freeze({
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs(),
  after(delayMs: number, action: () => void) {
    const timer = setTimeout(action, Math.min(delayMs, delayMsMax)).unref();
    return () => clearTimeout(timer);
  },
});

const rules: OptionRules<MemoryBrokerOptions> = {
  namespace: "other",
  partitions: atLeastOne,
  shards: atLeastOne,
  limits: "other",
  duplicates: "other",
  journalPageMax: atLeastOne,
  inputsAtOnceMax: atLeastOne,
  clock: "other",
  schedule: "other",
};

const limitRules: OptionRules<LogLimits> = {
  payloadBytesMax: atLeastOne,
  commitMessagesMax: atLeastOne,
  chainMin: atLeastOne,
  readersMax: atLeastOne,
  idWindowMs: delay,
};

const duplicateRules: OptionRules<DuplicateWindowLimits> = {
  ageMsMax: delay,
  idsMax: { least: 0, whole: true, infinite: true },
};

const defaults: MemoryBrokerSettings = Object.freeze({
  namespace: "memory",
  partitions: partitionCountDefault,
  shards: 1,
  limits: Object.freeze({
    payloadBytesMax: 1024 * 1024,
    commitMessagesMax: 1000,
    chainMin: 2,
    readersMax: 65_536,
    idWindowMs: 120_000,
  }),
  duplicates: Object.freeze({ ageMsMax: 120_000, idsMax: 100_000 }),
  journalPageMax: 256,
  inputsAtOnceMax: 64,
  clock: brokerClock,
  schedule: scheduleImmediate,
});

/** @throws DefinitionError */
export function brokerSettings(options: MemoryBrokerOptions): MemoryBrokerSettings {
  requireOptions("Broker option ", options, rules);
  requireOptions("Broker option limits.", options.limits ?? {}, limitRules);
  requireOptions("Broker option duplicates.", options.duplicates ?? {}, duplicateRules);
  const { partitions = defaults.partitions, shards = defaults.shards } = options;
  requireShards({ partitions, shards });
  return Object.freeze({
    ...defaults,
    ...options,
    limits: Object.freeze({
      ...defaults.limits,
      idWindowMs: options.duplicates?.ageMsMax ?? defaults.duplicates.ageMsMax,
      ...options.limits,
    }),
    duplicates: Object.freeze({ ...defaults.duplicates, ...options.duplicates }),
  });
}
