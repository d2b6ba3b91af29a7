import { systemContract } from "./system-contract.ts";

systemContract("bank-transfer");
