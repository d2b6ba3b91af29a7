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
  const all = {};
  for (let level: unknown = log; level !== null; level = Object.getPrototypeOf(level)) {
    if (level === Object.prototype) break;
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name === "constructor" || Object.hasOwn(all, name)) continue;
      const value: unknown = Reflect.get(log, name);
      // Bound, because a private field is found only in the log itself. What is no method is read
      // each time: the identity changes when a log is made anew.
      const property: PropertyDescriptor =
        typeof value === "function"
          ? { value: value.bind(log) }
          : { get: (): unknown => Reflect.get(log, name) };
      Object.defineProperty(all, name, { ...property, enumerable: true, configurable: true });
    }
  }
  for (const [name, value] of Object.entries(methods)) {
    if (value !== undefined)
      Object.defineProperty(all, name, { value, enumerable: true, configurable: true });
  }
  return all as unknown as Log;
}
