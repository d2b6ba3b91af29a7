import fc from "fast-check";
import { expect, it } from "vitest";

import { LruList, type Standing } from "./lru-list.ts";

class Member implements Standing<Member> {
  ahead: Member | undefined;
  behind: Member | undefined;
}

it("gives the order in which its members came to rest", () => {
  const step = fc.record({ who: fc.nat(5), joins: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const members = Array.from({ length: 6 }, () => new Member());
      const line = new LruList<Member>();
      // A set keeps the order in which its values were added.
      const model = new Set<number>();
      for (const { who, joins } of steps) {
        const member = members[who] ?? new Member();
        model.delete(who);
        if (joins) model.add(who);
        if (joins) line.join(member);
        else line.leave(member);
        expect(orderOf(line)).toEqual([...model].map((index) => members[index]));
      }
    }),
  );
});

function orderOf(line: LruList<Member>): readonly Member[] {
  const order: Member[] = [];
  for (let member = line.first; member !== undefined; member = member.behind) order.push(member);
  return order;
}
