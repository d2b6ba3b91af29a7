/** The store on a real server: skipped where there is none. */
import { storeContract } from "@troupe/contracts";
import { afterAll, describe, expect, test } from "vitest";

import { noS3Server, startS3Server } from "../fixtures/s3-server.ts";
import { s3Store, type S3Options } from "./index.ts";

const server = await startS3Server();
const run = Math.random().toString(36).slice(2);
let stores = 0;

/** A part of the bucket that nobody else has. */
function options(): S3Options {
  if (server === undefined) throw new Error(noS3Server);
  const { bucket, credentials, endpoint } = server;
  stores += 1;
  return { bucket, credentials, endpoint, prefix: `${run}/${stores}` };
}

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

test("a real server is there", ({ skip }) => {
  skip(server === undefined, noS3Server);
  expect(server?.endpoint).toMatch(/^http/);
});

describe.skipIf(server === undefined)("on a real server", () => {
  storeContract("a bucket", async () => {
    // Pages that are smaller than what a check stores.
    const own = { ...options(), listPageMax: 500 };
    return { connect: async () => s3Store(own), stop: async () => undefined };
  });

  test("a wrong secret and a bucket that is not there are refused by name", async () => {
    const own = options();
    const wrong = { accessKeyId: "tester", secretAccessKey: "not-the-secret" };
    const store = s3Store({ ...own, credentials: wrong });
    await expect(store.put("a", Buffer.from("1"))).rejects.toMatchObject({
      code: "archive-refused",
    });
    const nowhere = s3Store({ ...own, bucket: "no-such-bucket" });
    await expect(nowhere.get("a")).rejects.toMatchObject({ code: "archive-refused" });
  });
});
