/** Acknowledgements as the server writes them. */
import { expect, test } from "vitest";

import { pubAckReader } from "./pub-ack.ts";

const read = (text: string): unknown => pubAckReader("troupe-0")(Buffer.from(text));
const plain = { duplicate: false, count: 1, error: undefined };

test.each([
  [`{"stream":"troupe-0", "seq":123456789012}`, { ...plain, seq: 123_456_789_012 }],
  [`{"stream":"troupe-0","seq":7}`, { ...plain, seq: 7 }],
  [`{"stream":"troupe-0", "domain":"hub", "seq":7}`, { ...plain, seq: 7 }],
  [`{"stream":"troupe-0", "seq":7,"duplicate": true}`, { ...plain, seq: 7, duplicate: true }],
  [`{"stream":"troupe-0","seq":9,"batch":"b","count":3}`, { ...plain, seq: 9, count: 3 }],
])("%s", (text, expected) => {
  expect(read(text)).toEqual(expected);
});

test("a refusal keeps the server's code", () => {
  const error = { code: 400, err_code: 10_071, description: "wrong last sequence: 5" };
  const text = JSON.stringify({ error, stream: "troupe-0", seq: 0 });
  expect(read(text)).toEqual({ seq: 0, duplicate: false, count: 1, error });
});

test.each(["", "hello", "{}", "null", `{"stream":"troupe-0", "seq":}`])(
  "%j is an error",
  (text) => {
    expect(read(text)).toMatchObject({ seq: 0, error: { code: 500 } });
  },
);
