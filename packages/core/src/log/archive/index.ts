/** Archives: entries that are truncated on the log, kept in a directory or another store. */
export { acrossArchive } from "./across-archive.ts";
export type {
  Archive,
  ArchiveCallOptions,
  ArchiveCheck,
  ArchivedKey,
  ArchiveErasure,
} from "./archive-port.ts";
export type { FittedLog } from "./archive-fit.ts";
export type { ArchiveObject, ArchiveStore, ByteRange, StoreCallOptions } from "./archive-store.ts";
export type { ArchivedEntry, Chain } from "./chain.ts";
export { chainName } from "./chain.ts";
export type { ChainManifest } from "./chain-manifest.ts";
export { directoryStore } from "./directory-store.ts";
export { archiveDefaults, logArchive } from "./log-archive.ts";
export type { ArchiveOptions } from "./log-archive.ts";
export { requireObjectName } from "./object-name.ts";
export type { NamedSegment } from "./segment-file.ts";
