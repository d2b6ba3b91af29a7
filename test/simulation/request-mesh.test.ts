import { systemContract } from "./system-contract.ts";

systemContract("request-mesh");
