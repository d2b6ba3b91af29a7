/**
 * Seldom behaviour of real servers: answers that they give under load, and servers that cannot do
 * it.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import type { ArchiveStore } from "@troupe/core/archive";
import { s3OptionsOf, s3Store } from "./index.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const credentials = { accessKeyId: "tester", secretAccessKey: "a-secret" };

interface Bucket extends AsyncDisposable {
  readonly store: ArchiveStore;
  readonly seen: string[];
}

/** A store whose server answers like this, request by request; the last answer stays. */
async function bucketThat(...answers: readonly Answer[]): Promise<Bucket> {
  const seen: string[] = [];
  const left = [...answers];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      const answer = left.length > 1 ? left.shift() : left[0];
      answer?.(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    seen,
    store: s3Store({
      bucket: "archive",
      credentials,
      endpoint,
      attemptsMax: 3,
      requestTimeoutMs: 2000,
    }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const says =
  (status: number, body = ""): Answer =>
  (_, response) =>
    void response.writeHead(status).end(body);
const fault = (code: string): string => `<Error><Code>${code}</Code><Message>why</Message></Error>`;

describe("a bucket", () => {
  test("whose server overwrites what is there is refused before anything is archived", async () => {
    await using bucket = await bucketThat(says(200));
    await expect(bucket.store.put("a", Buffer.from("1"))).rejects.toMatchObject({
      code: "archive-refused",
      message: expect.stringContaining("If-None-Match") as string,
    });
    expect(bucket.seen.some((line) => line.endsWith("/archive/a"))).toBe(false);
  });

  test("that is too busy is asked again", async () => {
    const busy = [says(503, fault("SlowDown")), says(409, fault("ConditionalRequestConflict"))];
    await using bucket = await bucketThat(...busy, says(200, "content"));
    expect(String(await bucket.store.get("a"))).toBe("content");
    expect(bucket.seen).toHaveLength(3);
  });

  test("that gives no answer is unavailable, which may pass", async () => {
    await using bucket = await bucketThat((request) => request.socket.destroy());
    await expect(bucket.store.get("a")).rejects.toMatchObject({
      code: "archive-unavailable",
      retryable: true,
    });
    expect(bucket.seen).toHaveLength(3);
  });

  test("that is not there, or not ours, is refused by name", async () => {
    await using none = await bucketThat(says(404, fault("NoSuchBucket")));
    await expect(none.store.get("a")).rejects.toMatchObject({ code: "archive-refused" });
    await using foreign = await bucketThat(says(403, fault("AccessDenied")));
    await expect(foreign.store.list("a")).rejects.toThrow(/AccessDenied/);
    expect(foreign.seen).toHaveLength(1);
  });

  test("that does not know ranges gives the part all the same", async () => {
    await using bucket = await bucketThat(says(200, "0123456789"));
    const part = async (from: number, bytes: number): Promise<string> =>
      String(await bucket.store.get("a", { from, bytes }));
    expect(await part(2, 3)).toBe("234");
    expect(await part(-4, 2)).toBe("67");
  });

  test("never shows a secret in what it says", async () => {
    await using bucket = await bucketThat(says(403, fault("AccessDenied")));
    const error = await bucket.store.get("a").catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain("a-secret");
    expect(bucket.store.place).not.toContain("a-secret");
  });
});

describe("an address", () => {
  test("names bucket, prefix, endpoint and region", () => {
    const address = "s3://archive/some/where?endpoint=http://127.0.0.1:9000&region=eu-central-1";
    expect(s3OptionsOf(address)).toEqual({
      bucket: "archive",
      prefix: "some/where",
      endpoint: "http://127.0.0.1:9000",
      region: "eu-central-1",
    });
    expect(s3OptionsOf("s3://archive")).toMatchObject({ bucket: "archive", prefix: undefined });
  });

  test.each(["s3://", "archive", "s3://key:secret@archive", "s3://archive?key=1", "https://a/b"])(
    "%s is refused",
    (address) => {
      expect(() => s3OptionsOf(address)).toThrow(/archive/);
    },
  );

  test.each([
    { bucket: "A" },
    { bucket: "archive", prefix: "/a" },
    { bucket: "archive", endpoint: "http://key:secret@host" },
    { bucket: "archive", endpoint: "ftp://host" },
    { bucket: "archive", attemptsMax: 0 },
    { bucket: "archive", buckets: "x" } as never,
  ])("with the options %j is refused by name", (options) => {
    expect(() => s3Store(options)).toThrow(/S3 option/);
  });
});
