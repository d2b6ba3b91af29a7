import fc from "fast-check";
import { expect, test } from "vitest";
import { serverAddresses } from "./server-address.ts";

test.each([
  ["127.0.0.1:4222", ["127.0.0.1:4222"], undefined],
  ["nats://host/", ["nats://host"], undefined],
  ["tls://ann:secret@host:4222", ["tls://host:4222"], { user: "ann", pass: "secret" }],
  ["nats://ann:p%40ss%3Aword@host", ["nats://host"], { user: "ann", pass: "p@ss:word" }],
  ["nats://ann:p@ss:w/rd@host", ["nats://host"], { user: "ann", pass: "p@ss:w/rd" }],
  ["ann:secret@host", ["host"], { user: "ann", pass: "secret" }],
  ["nats://ann:@host", ["nats://host"], { user: "ann", pass: "" }],
  ["nats://t0k%2Fen@[::1]:4222", ["nats://[::1]:4222"], { token: "t0k/en" }],
  ["nats://@host", ["nats://host"], undefined],
  [
    "nats://ann:secret@a:1, nats://b:2,,nats://ann:secret@c:3",
    ["nats://a:1", "nats://b:2", "nats://c:3"],
    { user: "ann", pass: "secret" },
  ],
])("%j is taken apart", (text, servers, credentials) => {
  const found = serverAddresses(text);
  expect(found.servers).toEqual(servers);
  expect(found.credentials).toEqual(credentials);
  expect(serverAddresses(text.split(","))).toEqual(found);
});

test.each([
  ["", "No server is named"],
  [" , ", "No server is named"],
  ["nats://", '"nats://" is no address'],
  ["nats://ann:s3cret@", '"nats://" is no address'],
  ["nats://ann:s3cret@host:notaport", '"nats://host:notaport" is no address'],
  ["nats://ann:s3cret@host:99999", "is no address"],
  ["nats://ann:s3cret@[::1", "is no address"],
  ["nats://ann:s3cret@a b", "is no address"],
  ["nats://ann:s3cret@host/path", "is no address"],
  ["nats://ann:s3cret@host?x=1", "is no address"],
  ["https://ann:s3cret@host", '"https://host" is no address'],
  ["nats://ann:s3cret%zz@host", "nats://host are not percent-encoded"],
  ["nats://ann:s3cret@a,nats://bea:s3cret@b", "nats://a, nats://b have different credentials"],
])("%j is refused by name, without its secret", (text, message) => {
  expect(() => serverAddresses(text)).toThrow(message);
  expect(() => serverAddresses(text)).toThrow(expect.objectContaining({ code: "server-address" }));
  expect(() => serverAddresses(text)).not.toThrow("s3cret");
});

test("whatever the credentials are, they are decoded and nothing of them is shown", () => {
  const secret = fc
    .string({ unit: "grapheme", minLength: 3, maxLength: 20 })
    .filter((text) => text.isWellFormed())
    .map((text) => `~${text}~`);
  fc.assert(
    fc.property(secret, secret, (user, pass) => {
      const [encodedUser, encodedPass] = [user, pass].map(encodeURIComponent);
      const inside = `${encodedUser}:${encodedPass}`;
      expect(serverAddresses(`nats://${inside}@host:4222`)).toEqual({
        servers: ["nats://host:4222"],
        credentials: { user, pass },
      });
      expect(serverAddresses(`nats://${encodedUser}@host`).credentials).toEqual({ token: user });
      expect(() => serverAddresses(`nats://${inside}@ho st`)).not.toThrow(encodedPass);
    }),
  );
});
