import { expect, it } from "vitest";

import { AskDeadlineError, LogUnavailableError } from "@troupe/core/errors";
import { AsksUnderWay } from "./asks-under-way.ts";

async function answersOf(first: Error): Promise<readonly unknown[]> {
  const asks = new AsksUnderWay();
  const answers: unknown[] = [];
  for (const begin of [() => Promise.reject(first), () => Promise.resolve("here")]) {
    const { answer } = asks.join("key", begin);
    answers.push(await answer.catch((thrown: unknown) => thrown));
  }
  return answers;
}

it("asks again what the log gave no answer to, and not what was answered", async () => {
  const unavailable = new LogUnavailableError("No answer, says the test.");
  expect(await answersOf(unavailable)).toEqual([unavailable, "here"]);
  const late = new AskDeadlineError("Too late, says the test.");
  expect(await answersOf(late)).toEqual([late, late]);
});
