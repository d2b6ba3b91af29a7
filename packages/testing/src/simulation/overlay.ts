/**
 * A log with some methods replaced: how faults, watching and deliberate defects come between a
 * process and its log.
 */
import type { Log } from "@troupe/core/log";

export type LogMethods = Partial<Log>;

/**
 * The log with these methods instead of its own.
 *
 * @example
 * ```ts
 * const slow = overlay(log, { reply: () => undefined });
 * ```
 */
export function overlay(log: Log, methods: LogMethods): Log {
  const all: Record<string, unknown> = {};
  for (let level: unknown = log; level !== null; level = Object.getPrototypeOf(level)) {
    if (level === Object.prototype) break;
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name === "constructor" || Object.hasOwn(all, name)) continue;
      const value: unknown = Reflect.get(log, name);
      // Bound, because a private field is found only in the log itself.
      all[name] = typeof value === "function" ? value.bind(log) : value;
    }
  }
  return { ...all, ...methods } as unknown as Log;
}
