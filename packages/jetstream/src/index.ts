/** The Troupe log on NATS JetStream. */

/** Connect to a server or a cluster: a Troupe, or only its log. */
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export { connectLog } from "./connect-log.ts";
export type { ConnectLogOptions } from "./connect-options.ts";

/** Addresses of servers, with the credentials taken out. */
export { serverAddresses } from "./server-address.ts";
export type { ServerAddresses, UrlCredentials } from "./server-address.ts";

/** The subjects and stream names of a namespace. */
export { subjects } from "./subjects.ts";
export type { Subjects } from "./subjects.ts";

/** Move a log into another namespace, with another number of partitions. */
export { moveLog } from "./move/move-log.ts";
export type { MoveOptions, MoveReport } from "./move/move-log.ts";
export type { MoveProgress } from "./move/copy.ts";

/** Errors beside core's log errors. */
export {
  AccessDeniedError,
  InsecureConnectionError,
  LogMovedError,
  MoveMismatchError,
  MoveRefusedError,
  PermissionDeniedError,
  ServerAddressError,
  StreamMismatchError,
  UnsupportedServerError,
} from "./errors.ts";
