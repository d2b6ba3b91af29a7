/**
 * Reading what somebody threw. Anything can be thrown: objects without a prototype, proxies that
 * refuse every question, errors whose message is no text or whose stack has megabytes. Nothing in
 * here throws, and nothing that it returns is long, because a failure that cannot be described
 * would end the process that has to describe it.
 */

/** The answer to a question about a thrown value, or `otherwise` when asking it throws. */
export function tryRead<Answer>(question: () => Answer, otherwise: Answer): Answer {
  try {
    return question();
  } catch {
    return otherwise;
  }
}

/** Text of a thrown value: the message of an error, or the value as text. Never throws. */
export function thrownText(thrown: unknown): string {
  const isError = tryRead(() => thrown instanceof Error, false);
  const said = tryRead(() => String(isError ? (thrown as Error).message : thrown), undefined);
  // An object without a prototype, a proxy that was revoked, a message that is a symbol.
  return clipped(said ?? `a thrown ${typeof thrown} that cannot be shown as text`);
}

/** Name and message of an error, or the value as text. Never throws. */
export function thrownTitle(thrown: unknown): string {
  const name = tryRead(() => (thrown instanceof Error ? thrown.name : undefined), undefined);
  const text = thrownText(thrown);
  return typeof name === "string" ? `${clipped(name, nameMax)}: ${text}` : text;
}

/** The innermost frames of an error's stack; a record has no room for all of them. Never throws. */
export function thrownFrames(thrown: unknown): readonly string[] {
  const stack = tryRead(() => (thrown instanceof Error ? thrown.stack : undefined), undefined);
  // With an Error.prepareStackTrace of its own a program makes anything of it.
  if (typeof stack !== "string") return [];
  const frames = clipped(stack, stackMax)
    .split("\n")
    .filter((line) => line.startsWith(frameStart));
  return frames.slice(0, framesMax).map((line) => clipped(line.slice(frameStart.length), frameMax));
}

/** Causes of an error, outermost first; a chain may be endless, or a circle. Never throws. */
export function thrownCauses(thrown: unknown): readonly string[] {
  const causes: string[] = [];
  let each = causeOf(thrown);
  while (each !== undefined && causes.length < causesMax) {
    causes.push(clipped(thrownTitle(each), causeMax));
    each = causeOf(each);
  }
  return causes;
}

function causeOf(thrown: unknown): unknown {
  return tryRead(() => (thrown instanceof Error ? thrown.cause : undefined), undefined);
}

/** The text's beginning when it is too long, with a mark that says so. */
function clipped(text: string, lengthMax: number = textMax): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}

const textMax = 4000;
const nameMax = 200;
const stackMax = 100_000;
const framesMax = 5;
const frameMax = 500;
const causesMax = 3;
const causeMax = 500;
const frameStart = "    at ";
