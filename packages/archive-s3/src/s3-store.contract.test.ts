import { storeContract } from "@troupe/core/testing/contract";
import { afterAll, describe, test } from "vitest";

import { startS3Server } from "../fixtures/s3-server.ts";
import { s3Store } from "./index.ts";

const server = await startS3Server();

if (typeof server === "string") {
  describe("a bucket", () => {
    test.skip(server, () => undefined);
  });
} else {
  const { bucket, credentials, endpoint } = server;
  const run = Math.random().toString(36).slice(2);
  let stores = 0;

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  storeContract("a bucket of a real server", async () => {
    stores += 1;
    const prefix = `${run}/${stores}`;
    return {
      // Pages that are smaller than what a check stores.
      connect: async () => s3Store({ bucket, credentials, endpoint, prefix, listPageMax: 500 }),
      stop: async () => undefined,
    };
  });
}
