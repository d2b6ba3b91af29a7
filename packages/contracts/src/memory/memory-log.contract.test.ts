import { logContract } from "../index.ts";
import { memoryHarness } from "./memory-harness.ts";

logContract("the log in memory", async () => memoryHarness());

logContract("a log of four shards in memory", async () => memoryHarness({ shards: 4 }));
