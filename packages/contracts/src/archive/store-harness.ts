/** Needs of the contract suite from an implementation of the store port. */
import type { ArchiveStore } from "@troupe/core/archive";

/** An empty store; the suite asks for a new one per check. */
export interface StoreHarness {
  /** The store, as another process would have it. */
  connect(): Promise<ArchiveStore>;
  /** Removes it. */
  stop(): Promise<void>;
}

/** A rule of the port: rejects when the store behind the harness breaks it. */
export interface StoreCheck {
  readonly name: string;
  readonly run: (harness: StoreHarness) => Promise<void>;
}
