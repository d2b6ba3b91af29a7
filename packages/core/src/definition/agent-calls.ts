/** A method for each message of an agent: `agent(account, "alice").deposit({ amount: 5 })`. */

import { isReserved } from "./name.ts";

/** Options of one message that a program sends, asks or publishes. */
export interface MessageOptions {
  /**
   * Message id, among those to this agent or topic. Accepting the same message with the same id
   * again within the log's window stores nothing; another message with it is refused.
   * @default a random id
   */
  readonly id?: string | undefined;
}

/** Methods that resolve with the reply; `More` are arguments after the message. */
export type AskCalls<Messages, More extends readonly unknown[] = readonly []> = {
  readonly [Name in keyof Messages]: Messages[Name] extends {
    readonly input: infer Input;
    readonly reply: infer Reply;
  }
    ? (message: Input, ...more: More) => Promise<Reply>
    : never;
};

/** Methods that return `Sent`, as soon as the message is accepted or part of the turn. */
export type SendCalls<Messages, Sent, More extends readonly unknown[] = readonly []> = {
  readonly [Name in keyof Messages]: Messages[Name] extends { readonly input: infer Input }
    ? (message: Input, ...more: More) => Sent
    : never;
};

/**
 * An object that has a method for every name but the reserved ones, so that it is never taken for a
 * promise, and printing it sends nothing.
 */
export function callsProxy<Calls extends object>(
  call: (message: string, payload: unknown, options: unknown) => unknown,
): Calls {
  return new Proxy({} as Calls, {
    get: (_target, name) =>
      typeof name === "string" && !isReserved(name)
        ? (payload: unknown, options?: unknown): unknown => call(name, payload, options)
        : undefined,
  });
}
