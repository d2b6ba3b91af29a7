/** A payload on the command line. */
import { text } from "node:stream/consumers";
import { UsageError } from "./failure.ts";
import type { Run } from "./run.ts";

/** The value of a JSON argument; `-` reads it from the standard input. @throws UsageError */
export async function parseJsonArgument(argument: string, run: Run): Promise<unknown> {
  const source =
    argument === "-" ? await run.interruption.orInterrupted(text(process.stdin)) : argument;
  try {
    return JSON.parse(source) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(
      `The payload is not JSON: ${why}. Quote it for the shell, for example '{"amount":5}'.`,
      { cause },
    );
  }
}
