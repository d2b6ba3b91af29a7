/** All rules of the turn engine, as checks. */
import type { LogCheck } from "../log-harness.ts";
import { orderChecks } from "./order-checks.ts";

export const engineChecks: readonly LogCheck[] = [...orderChecks];
