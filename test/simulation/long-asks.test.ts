import { systemContract } from "./system-contract.ts";

systemContract("long-asks");
