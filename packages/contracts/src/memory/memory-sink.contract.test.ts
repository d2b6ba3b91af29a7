import { sinkContract } from "../index.ts";
import { memorySinkHarness } from "./memory-sink-harness.ts";

sinkContract("the memory sink", async () => memorySinkHarness());
