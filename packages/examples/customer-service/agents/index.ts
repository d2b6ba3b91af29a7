/**
 * The agents of the desk: `troupe work packages/examples/customer-service/agents/index.ts` hosts
 * them all.
 */
export { conversation } from "./conversation.ts";
export { human } from "./human.ts";
export { knowledge } from "./knowledge.ts";
export { quality } from "./quality.ts";
export { router } from "./router.ts";
