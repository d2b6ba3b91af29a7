import { systemContract } from "./system-contract.ts";

systemContract("fan-out");
