import { expect, test } from "vitest";
import { fieldText } from "./field-path.ts";
import { OperationWindow } from "./operation-window.ts";
import { progressText } from "./progress-text.ts";
import { Tally } from "./tally.ts";

test("a field is found by its path, and only its own properties count", () => {
  const value = { id: 7, user: { name: "陈", empty: "" }, list: [{ id: "x" }] };
  expect(fieldText(value, "id")).toBe("7");
  expect(fieldText(value, "user.name")).toBe("陈");
  expect(fieldText(value, "list.0.id")).toBe("x");
  for (const path of ["user", "user.empty", "user.name.length", "nothing", "constructor.name"]) {
    expect(fieldText(value, path)).toBeUndefined();
  }
});

test("so many operations run at once, and no more", async () => {
  const inFlight = new OperationWindow(2);
  const ends: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const starting = (async () => {
    for (let index = 0; index < 5; index += 1) {
      await inFlight.start(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running -= 1;
      });
    }
  })();
  for (let index = 0; index < 5; index += 1) {
    await expect.poll(() => ends.length).toBeGreaterThan(index);
    ends[index]?.();
  }
  await starting;
  await inFlight.idle();
  expect({ most, running }).toEqual({ most: 2, running: 0 });
});

test("progress tells what is left, and fits", () => {
  const tally = new Tally();
  Object.assign(tally, { published: 1234, failed: 2, bytesRead: 500 });
  for (const width of [30, 60, 79, 139]) {
    expect(progressText(tally, 1000, width).length).toBeLessThanOrEqual(width);
  }
  expect(progressText(tally, 1000, 139)).toMatch(
    /^━{20}─{20} {2}50 % {2}1,234 published · 2 failed · .* left$/,
  );
  expect(progressText(tally, undefined, 79)).toMatch(/^1,234 published · 2 failed · [\d,]+\/s$/);
});
