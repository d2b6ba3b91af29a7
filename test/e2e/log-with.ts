/**
 * A log with some methods of a test's own instead of its own, as a faulty broker or network has.
 */
import type { Log } from "@troupe/core/log";

export function logWith(log: Log, methods: Partial<Log>): Log {
  return new Proxy(log, {
    get(_, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(log, name, log);
      // Bound to the log itself, because a proxy has none of its private fields.
      return typeof value === "function" ? (value.bind(log) as unknown) : value;
    },
  });
}
