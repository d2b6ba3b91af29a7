/** A payload on the command line. */
import { text } from "node:stream/consumers";
import { UsageError } from "./failure.ts";

/** The value of a JSON argument; `-` reads it from the standard input. @throws UsageError */
export async function parseJsonArgument(argument: string): Promise<unknown> {
  const source = argument === "-" ? await text(process.stdin) : argument;
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
