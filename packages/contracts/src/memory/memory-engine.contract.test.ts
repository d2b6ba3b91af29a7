import { engineContract } from "../index.ts";
import { memoryHarness } from "./memory-harness.ts";

engineContract("the log in memory", async () => memoryHarness());

engineContract("a log of four shards in memory", async () => memoryHarness({ shards: 4 }));
