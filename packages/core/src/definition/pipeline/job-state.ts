/**
 * A job of a pipeline: its events and their fold. Everything that a pipeline knows of a job is
 * here, so a reader of the journal sees which stage is under way, what each made, and why it
 * failed.
 */
import type { ErrorData } from "../../errors/troupe-error.ts";

export interface JobState {
  readonly status: "new" | "running" | "stopped" | "done" | "failed";
  /** The stage that is under way, stopped or failed; of a job that is done, the last one. */
  readonly stage: string | undefined;
  readonly input: unknown;
  /** Results by stage. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Parts of a parallel stage that is under way. */
  readonly parts: JobParts | undefined;
  /** Failure of the stage itself, when its fall-back has to make the result. */
  readonly fallback: ErrorData | undefined;
  /** Reason why the job stopped or failed, as its askers get it. */
  readonly failure: ErrorData | undefined;
  /** Reply addresses of those who wait for the answer; the others find it in the journal. */
  readonly asks: readonly string[];
  /**
   * Time until which the job is wanted, in milliseconds since the epoch; undefined means until it
   * is done.
   */
  readonly deadlineMs: number | undefined;
  /** True when all who want it are among `asks`: when they give up, it stops. */
  readonly onlyAsks: boolean;
  /** Number of runs that changed until when the job is wanted, or for whom. */
  readonly runs: number;
}

export interface JobParts {
  readonly items: readonly unknown[];
  /** Number of parts under way at once, at most. */
  readonly limit: number;
  /** Number of parts that were handed out, in their order. */
  readonly sent: number;
  /** Numbers of parts that were given up: they are handed out again when the job goes on. */
  readonly again: readonly number[];
  /**
   * Results by part, each in an array: a property that is undefined is not stored, an element is.
   */
  readonly results: Readonly<Record<number, readonly [unknown]>>;
  readonly done: number;
  /** Parts that failed for good. */
  readonly failed: readonly number[];
}

/** The events of a job, as they are in its journal. */
export interface JobEvents {
  readonly enqueued: {
    readonly input: unknown;
    /** The first one. */
    readonly stage: string;
    readonly replyTo: string | undefined;
    readonly deadlineMs?: number | undefined;
  };
  /** Another caller wants the job, too; a stopped job goes on. */
  readonly asked: Asking;
  /** `next` is absent when it was the last stage. */
  readonly completed: {
    readonly stage: string;
    readonly result: unknown;
    readonly next: string | undefined;
  };
  readonly split: {
    readonly stage: string;
    readonly parts: readonly unknown[];
    readonly limit: number;
  };
  readonly gathered: { readonly stage: string; readonly part: number; readonly result: unknown };
  /** All parts are there: their results in order are the stage's. */
  readonly joined: { readonly stage: string; readonly next: string | undefined };
  readonly fellBack: { readonly stage: string; readonly failure: ErrorData };
  readonly failed: {
    readonly stage: string;
    readonly part: number | undefined;
    readonly failure: ErrorData;
  };
  /** The last caller gave up. */
  readonly stopped: {
    readonly stage: string;
    readonly part: number | undefined;
    readonly failure: ErrorData;
  };
  /**
   * A message that failed or was given up was handled after all: the job is wanted until it is
   * done.
   */
  readonly resumed: { readonly stage: string };
}

/** A caller that wants a job, and until when. */
export interface Asking {
  /** Undefined for a `send`, and for an ask beyond `asksMax`. */
  readonly replyTo: string | undefined;
  /** Milliseconds since the epoch; undefined means until it is done. */
  readonly deadlineMs?: number | undefined;
}

export const newJob: JobState = Object.freeze({
  status: "new",
  stage: undefined,
  input: undefined,
  results: {},
  parts: undefined,
  fallback: undefined,
  failure: undefined,
  asks: [],
  deadlineMs: undefined,
  onlyAsks: false,
  runs: 0,
});

/**
 * Number of a job's askers that are told at once; the others find the answer in the journal
 * (ANSWER-2). Their addresses are in the job's state and in the record that answers them: some 50
 * bytes each.
 */
export const asksMax = 1024;

type Folds = {
  readonly [Name in keyof JobEvents]: (state: JobState, event: JobEvents[Name]) => JobState;
};

export const jobFolds: Folds = {
  enqueued: (state, { input, stage, ...asking }) => wantedBy({ ...state, stage, input }, asking),
  asked: wantedBy,
  completed: (state, { next, result }) => after(state, result, next),
  split: (state, { limit, parts }) =>
    handOut({
      ...state,
      parts: { items: parts, limit, sent: 0, again: [], results: {}, done: 0, failed: [] },
    }),
  gathered: (state, { part, result }) =>
    handOut(
      withParts(state, ({ again, done, failed, results, ...parts }) => ({
        ...parts,
        results: { ...results, [part]: [result] },
        done: done + 1,
        again: without(again, part),
        failed: without(failed, part),
      })),
    ),
  joined: (state, { next }) => {
    const { items = [], results = {} } = state.parts ?? {};
    return after(
      state,
      items.map((_, index) => results[index]?.[0]),
      next,
    );
  },
  fellBack: (state, { failure }) => ({ ...state, fallback: failure }),
  failed: (state, { failure, part }) =>
    withParts(
      { ...state, status: "failed", failure: state.failure ?? failure, asks: [] },
      (parts) =>
        part === undefined
          ? parts
          : {
              ...parts,
              again: without(parts.again, part),
              failed: [...without(parts.failed, part), part],
            },
    ),
  stopped: (state, { failure, part }) =>
    withParts(
      isRunning(state) ? { ...state, status: "stopped", failure, asks: [] } : state,
      (parts) =>
        part === undefined ? parts : { ...parts, again: [...without(parts.again, part), part] },
    ),
  resumed: (state) =>
    goOn({ ...state, deadlineMs: undefined, onlyAsks: false, runs: state.runs + 1 }),
};

function wantedBy(before: JobState, { deadlineMs, replyTo }: Asking): JobState {
  const state = isRunning(before) ? before : goOn({ ...before, ...nobody });
  const { asks, onlyAsks, runs } = state;
  return {
    ...state,
    asks: replyTo === undefined ? asks : [...asks, replyTo],
    deadlineMs: laterOf(state.deadlineMs, deadlineMs),
    onlyAsks: onlyAsks && replyTo !== undefined,
    runs: runs + 1,
  };
}

const nobody = Object.freeze({ asks: Object.freeze([]), deadlineMs: 0, onlyAsks: true });

/** Undefined is later than any time. */
export function laterOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}

function isRunning({ status }: JobState): boolean {
  return status === "running";
}

/** Hands out again the parts that were given up, and more if there is room. */
function goOn(state: JobState): JobState {
  const running: JobState = { ...state, status: "running", failure: undefined };
  return handOut(withParts(running, (parts) => ({ ...parts, again: [] })));
}

function without(numbers: readonly number[], one: number): readonly number[] {
  return numbers.includes(one) ? numbers.filter((each) => each !== one) : numbers;
}

function after(state: JobState, result: unknown, next: string | undefined): JobState {
  const { asks, results, stage = "" } = state;
  return {
    ...state,
    status: next === undefined ? "done" : "running",
    stage: next ?? stage,
    results: { ...results, [stage]: result },
    parts: undefined,
    fallback: undefined,
    asks: next === undefined ? [] : asks,
  };
}

function withParts(state: JobState, change: (parts: JobParts) => JobParts): JobState {
  return state.parts === undefined ? state : { ...state, parts: change(state.parts) };
}

/** Hands out as many parts as may be under way; a job that stopped or failed hands out none. */
function handOut(state: JobState): JobState {
  if (!isRunning(state)) return state;
  return withParts(state, (parts) => {
    const { done, failed, items, limit } = parts;
    return { ...parts, sent: Math.min(items.length, done + failed.length + limit) };
  });
}
