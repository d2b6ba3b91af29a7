/** The Troupe model and engine. */
export { TroupeError, errorData, type ErrorData } from "./errors/troupe-error.ts";
export * from "./errors/log-errors.ts";
export * from "./errors/ask-errors.ts";
export * from "./errors/message-errors.ts";
export * from "./errors/definition-errors.ts";
export * from "./key/key-token.ts";
export * from "./key/partition.ts";
export * from "./log/address.ts";
export * from "./log/metadata.ts";
export * from "./log/input.ts";
export * from "./log/dead-letter.ts";
export * from "./log/manifest.ts";
export * from "./log/presence.ts";
export * from "./log/log.ts";
