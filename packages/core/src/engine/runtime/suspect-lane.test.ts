import fc from "fast-check";
import { expect, it } from "vitest";

import { SuspectLane } from "./suspect-lane.ts";
import { Suspicion } from "./suspicion.ts";

it("lets nobody run beside one that runs alone, and lets everybody in at some time", () => {
  const agents = fc.array(fc.record({ alone: fc.boolean(), givesUp: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(agents, (coming) => {
      const lane = new SuspectLane();
      const inside = new Set<string>();
      const entered = new Set<string>();
      const come = (name: string): void => {
        inside.add(name);
        entered.add(name);
        const runAlone = [...inside].filter((each) => coming[Number(each)]?.alone === true);
        expect(runAlone.length === 0 || inside.size === 1).toBe(true);
      };
      for (const [index, { alone, givesUp }] of coming.entries()) {
        const name = `${index}`;
        if (lane.enter(name, alone)) come(name);
        else if (givesUp) lane.wait(name, alone, () => come(name))();
        else lane.wait(name, alone, () => come(name));
      }
      while (inside.size > 0) {
        const [first = ""] = inside;
        inside.delete(first);
        lane.leave(first);
      }
      const staying = [...coming.entries()].filter(([index, each]) => {
        return entered.has(`${index}`) || !each.givesUp;
      });
      expect(entered.size).toBe(staying.length);
    }),
  );
});

it("suspects what was on the log when the holder died, and no more than it had in memory", () => {
  const suspicion = new Suspicion(2);
  expect(suspicion.covers(7)).toBe(true);
  suspicion.recorded(10);
  expect([suspicion.covers(9), suspicion.covers(11)]).toEqual([true, false]);
  suspicion.recorded(12);
  expect(suspicion.covers(9)).toBe(false);
});
