import { systemContract } from "./system-contract.ts";

systemContract("human-wait");
