/**
 * Schedule of the memory log.
 *
 * Nothing in it happens inside the call that caused it: every request, answer and delivery is one
 * task given to a `Schedule`. A simulation passes its own and decides the order; tasks of one
 * channel stay in order.
 */
import { setImmediate } from "node:timers";

/** Runs the task later, exactly once, never inside this call. */
export type Schedule = (task: () => void) => void;

/** The default: one task per event loop phase entry, so that timers and I/O get their share. */
export const scheduleImmediate: Schedule = (task) => void setImmediate(task);
