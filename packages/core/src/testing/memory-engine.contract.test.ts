import { engineContract } from "./contract/index.ts";
import { memoryHarness } from "./memory-harness.ts";

engineContract("the log in memory", async () => memoryHarness());
