import { systemContract } from "./system-contract.ts";

systemContract("hot-key");
