/** Both forms of the acknowledgement subject. */
import { expect, test } from "vitest";

import { AckSubjectReader } from "./ack-subject.ts";

const expected = {
  position: 7_000_000_123,
  delivery: 42,
  storedAtMs: 1_700_000_000_123,
  pending: 9,
};
const numbers = "1.7000000123.42.1700000000123456789.9";

test.each([
  ["short", `$JS.ACK.troupe-0.p7-w.${numbers}`],
  ["with domain and account", `$JS.ACK._.ACCHASH.troupe-0.p7-w.${numbers}`],
  ["with a token at the end", `$JS.ACK.hub.ACCHASH.troupe-0.p7-w.${numbers}.x1y2`],
])("a delivery is read from the %s form, again and again", (_, reply) => {
  const reader = new AckSubjectReader("troupe-0", "p7-w");
  expect(reader.read(reply)).toEqual(expected);
  expect(reader.read(reply)).toEqual(expected);
});

test.each(["", "_INBOX.a", "$JS.ACK.other.p7-w.1.2.3.4.5", "$JS.ACK.troupe-0.p7-w.1.2"])(
  "%j is no delivery",
  (reply) => {
    expect(new AckSubjectReader("troupe-0", "p7-w").read(reply)).toBeUndefined();
  },
);
