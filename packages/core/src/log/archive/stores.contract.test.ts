import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { memoryArchiveStore } from "@troupe/testing";
import { storeContract } from "@troupe/contracts";
import { directoryStore } from "./directory-store.ts";

storeContract("a store in memory", async () => {
  const store = memoryArchiveStore();
  return { connect: async () => store, stop: async () => undefined };
});

storeContract("a directory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "troupe-archive-"));
  return {
    connect: async () => directoryStore(join(directory, "below", "it")),
    stop: () => rm(directory, { recursive: true }),
  };
});
