/** One method per message of an agent: `agent(account, "alice").deposit({ amount: 5 })`. */

import { isReserved } from "./name.ts";

/** Methods that resolve with the reply. */
export type AskCalls<Messages> = {
  readonly [Name in keyof Messages]: Messages[Name] extends {
    readonly input: infer Input;
    readonly reply: infer Reply;
  }
    ? (message: Input) => Promise<Reply>
    : never;
};

/** Methods that return `Sent`, as soon as the message is accepted or part of the turn. */
export type SendCalls<Messages, Sent> = {
  readonly [Name in keyof Messages]: Messages[Name] extends { readonly input: infer Input }
    ? (message: Input) => Sent
    : never;
};

/**
 * An object that has a method for every name but the reserved ones, so that it is never taken for a
 * promise, and printing it sends nothing.
 */
export function callsProxy<Calls extends object>(
  call: (message: string, payload: unknown) => unknown,
): Calls {
  return new Proxy({} as Calls, {
    get: (_target, name) =>
      typeof name === "string" && !isReserved(name)
        ? (payload: unknown): unknown => call(name, payload)
        : undefined,
  });
}
