/** The text of headers is what the client's own parser says they are. */
import { headers } from "@nats-io/nats-core";
import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import { expect, test } from "vitest";

import { headerText, visitHeaders } from "./header-text.ts";
import { startNatsServer } from "./server/start-nats-server.ts";
import { connect } from "@nats-io/transport-node";

function read(block: string): [string, string][] {
  const found: [string, string][] = [];
  visitHeaders(block, (name, value) => found.push([name, value]));
  return found;
}

function entries(parsed: MsgHdrs | undefined): [string, string][] {
  return [...(parsed ?? [])].flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
}

test("of a received message it is what was sent, with and without the client's own bytes", async () => {
  await using server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const received: Msg[] = [];
  const got = Promise.withResolvers<void>();
  connection.subscribe("to", {
    callback: (_, message) => {
      received.push(message);
      if (received.length === 2) got.resolve();
    },
  });
  const sent = headers();
  sent.append("Troupe-Sender", "客服/a:b, c");
  sent.append("Troupe-Id", "1");
  sent.append("Troupe-Id", "2");
  connection.publish("to", "payload", { headers: sent });
  connection.publish("to", "no headers");
  await got.promise;
  await connection.close();
  const [full, bare] = received;
  if (full === undefined || bare === undefined) throw new Error("nothing was received");
  expect(read(headerText(full))).toEqual(entries(full.headers));
  expect(read(headerText({ headers: full.headers } as Msg))).toEqual(entries(full.headers));
  expect(headerText(bare)).toBe("");
  expect(read(headerText({ headers: undefined } as unknown as Msg))).toEqual([]);
});

test.each([
  ["", []],
  ["NATS/1.0", []],
  ["NATS/1.0\r\n\r\n", []],
  ["NATS/1.0\r\nA: 1\r\n\r\n", [["A", "1"]]],
  [
    "NATS/1.0\r\nA:1\r\nno colon\r\n: no name\r\nB:  \r\n\r\nC: after the end\r\n",
    [
      ["A", "1"],
      ["B", ""],
    ],
  ],
  ["NATS/1.0 404 Not Found\r\nA: b: c\r\n", [["A", "b: c"]]],
])("%j has the headers %j", (block, expected) => {
  expect(read(block)).toEqual(expected);
});
