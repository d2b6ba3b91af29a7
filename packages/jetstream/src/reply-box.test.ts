/** Every waiter hears exactly one ending. */
import type { Msg } from "@nats-io/nats-core";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Link } from "./link.ts";
import { ReplyBox } from "./reply-box.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let responder: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  responder = await dial({ servers: server.url });
  responder.subscribe("twice", {
    callback: (_, message) => {
      message.respond("one");
      message.respond("two");
    },
  });
  responder.subscribe("silent", { callback: () => undefined });
  await responder.flush();
});
afterAll(async () => {
  await responder.close();
  await server.stop();
});

async function open(): Promise<{ link: Link; box: ReplyBox }> {
  const link = new Link(await dial({ servers: server.url }));
  return { link, box: new ReplyBox(link, "_INBOX.test") };
}

/** Sends, and collects what the waiter hears; it is content with `replies` replies. */
function ask(box: ReplyBox, subject: string, replies: number): string[] {
  const heard: string[] = [];
  const onReply = (message: Msg): boolean => heard.push(message.string()) < replies;
  const onFailure = (error: { readonly code: string }): void => void heard.push(error.code);
  const payload = Buffer.from("?");
  box.send({ subject, payload, timeoutMs: 150, waiter: { onReply, onFailure } });
  return heard;
}

test("a reply is the end, a time-out is the end, and nothing comes after it", async () => {
  const { link, box } = await open();
  const answered = ask(box, "twice", 1);
  const both = ask(box, "twice", 2);
  const unfinished = ask(box, "twice", 3);
  const silent = ask(box, "silent", 1);
  const nobody = ask(box, "nobody.is.here", 1);
  await expect.poll(() => silent).toEqual(["log-unavailable"]);
  await expect.poll(() => unfinished).toEqual(["one", "two", "log-unavailable"]);
  // All deadlines are over now, so a wrong answer would have come.
  expect(answered).toEqual(["one"]);
  expect(both).toEqual(["one", "two"]);
  expect(nobody).toEqual(["log-unavailable"]);
  await link.close();
});

test("closing and a lost connection end all waiting", async () => {
  const { link, box } = await open();
  const closed = ask(box, "silent", 1);
  await link.close();
  expect(closed).toEqual(["log-closed"]);
  expect(ask(box, "silent", 1)).toEqual(["log-closed"]);
});

test("what can never be sent is refused", async () => {
  const { link, box } = await open();
  expect(ask(box, "a b", 1)).toEqual(["log-refused"]);
  await link.close();
});
