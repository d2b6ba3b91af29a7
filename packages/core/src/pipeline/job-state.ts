/**
 * A job of a pipeline: its events and their fold. Everything that a pipeline knows of a job is
 * here, so whoever reads the journal sees which stage is under way, what each made, and why it
 * failed.
 */
import type { ErrorData } from "../errors/troupe-error.ts";

export interface JobState {
  readonly status: "new" | "running" | "done" | "failed";
  /** The stage that is under way or failed; of a job that is done, the last one. */
  readonly stage: string | undefined;
  readonly input: unknown;
  /** By stage. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Of a parallel stage that is under way. */
  readonly parts: JobParts | undefined;
  /** Why the stage itself failed, when its fall-back has to make the result. */
  readonly fallback: ErrorData | undefined;
  /** Why the job failed: what its askers get. */
  readonly failure: ErrorData | undefined;
  /** Reply addresses of those who wait for the answer; the others find it in the journal. */
  readonly asks: readonly string[];
}

export interface JobParts {
  readonly items: readonly unknown[];
  /** At once, at most. */
  readonly limit: number;
  /** How many were handed out, in their order. */
  readonly sent: number;
  /** Results by part. */
  readonly results: Readonly<Record<number, unknown>>;
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
  };
  /** Somebody else waits for the answer. */
  readonly asked: { readonly replyTo: string };
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
  /** What had failed was handled after all. */
  readonly resumed: { readonly stage: string };
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
});

/** How many askers are told at once; more are not told, but find the answer in the journal (D2). */
export const asksMax = 64;

type Folds = {
  readonly [Name in keyof JobEvents]: (state: JobState, event: JobEvents[Name]) => JobState;
};

export const jobFolds: Folds = {
  enqueued: (state, { input, replyTo, stage }) => ({
    ...state,
    status: "running",
    stage,
    input,
    asks: replyTo === undefined ? [] : [replyTo],
  }),
  asked: (state, { replyTo }) => ({ ...state, asks: [...state.asks, replyTo] }),
  completed: (state, { next, result }) => after(state, result, next),
  split: (state, { limit, parts }) =>
    handOut({
      ...state,
      parts: { items: parts, limit, sent: 0, results: {}, done: 0, failed: [] },
    }),
  gathered: (state, { part, result }) =>
    handOut(
      withParts(state, ({ done, failed, results, ...parts }) => ({
        ...parts,
        results: { ...results, [part]: result },
        done: done + 1,
        failed: failed.filter((each) => each !== part),
      })),
    ),
  joined: (state, { next }) => {
    const { items = [], results = {} } = state.parts ?? {};
    return after(
      state,
      items.map((_, index) => results[index]),
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
          : { ...parts, failed: [...parts.failed.filter((each) => each !== part), part] },
    ),
  resumed: (state) => handOut({ ...state, status: "running", failure: undefined }),
};

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

/** As many parts as may be under way; a job that failed hands out none. */
function handOut(state: JobState): JobState {
  if (state.status === "failed") return state;
  return withParts(state, (parts) => {
    const { done, failed, items, limit } = parts;
    return { ...parts, sent: Math.min(items.length, done + failed.length + limit) };
  });
}
