/**
 * Number of a partition's inputs that a worker reads ahead, so that the agents it has in memory are
 * no more than `activationsMax` (I7).
 *
 * An agent that cannot leave memory has an input that is not handled. That input is in the window
 * of its partition, or its place is lent (lending.ts); a key that is behind holds one place,
 * whatever it has read back. An input is for one agent of each hosted type at most. So busy agents
 * ≤ partitions × types × window + lent places, and the idle ones leave. Each may be half of
 * `activationsMax`.
 *
 * Agents that ask each other each hold a place while they wait, lent or in a window. The longest
 * chain of nested asks must fit, or nobody in it is ever answered; this comes before
 * `activationsMax` where both cannot be had.
 */
import type { LendingBounds } from "./lending.ts";

/** Settings of the worker that bound the windows. */
interface WindowSettings {
  readonly callDepthMax: number;
  readonly keyWindowMax: number;
  readonly activationsMax: number;
  readonly windowMax: number;
}

interface LendingSettings extends Pick<WindowSettings, "callDepthMax" | "activationsMax"> {
  readonly windowBytesMax: number;
}

/** Partitions and types that a worker may hold at most. */
interface Reach {
  readonly partitions: number;
  /** Hosted agent types. */
  readonly types: number;
}

/** The share of a partition in the bytes of all windows. */
export function windowBytes(
  { windowBytesMax }: { readonly windowBytesMax: number },
  partitions: number,
): number {
  return Math.max(1, Math.floor(windowBytesMax / partitions));
}

/** Part of the windows that may be lent. */
export function lendingBounds(settings: LendingSettings): LendingBounds {
  const { callDepthMax, activationsMax, windowBytesMax } = settings;
  return {
    inputsMax: Math.max(Math.floor(activationsMax / 2), callDepthMax + 1),
    bytesMax: windowBytesMax,
  };
}

/** The settings with windows that fit; a key's share of its partition's window stays the same. */
export function withFittingWindows<Settings extends WindowSettings>(
  settings: Settings,
  { partitions, types }: Reach,
): Settings {
  const { callDepthMax, activationsMax } = settings;
  const fitting = Math.floor(activationsMax / 2 / (partitions * types));
  const windowMax = Math.min(settings.windowMax, Math.max(fitting, callDepthMax + 1));
  const keyWindowMax = Math.ceil((settings.keyWindowMax * windowMax) / settings.windowMax);
  return { ...settings, windowMax, keyWindowMax };
}
