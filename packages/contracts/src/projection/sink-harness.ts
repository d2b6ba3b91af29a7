/** Parts that the contract suite needs from an implementation of the sink port. */
import type { ProjectionSink, ReadModel } from "@troupe/core";

/** An event, as the model of the checks keeps it. */
export interface SinkRow {
  readonly key: string;
  readonly n: number;
}

/** An empty storage; the suite asks for a new one per check. */
export interface SinkHarness {
  /**
   * A model that keeps rows in the order in which they come, the same one twice if it comes twice.
   */
  readonly model: ReadModel;
  /** A sink on the storage, as another process would have it. */
  connect(): Promise<ProjectionSink<ReadModel>>;
  /** Adds a row, through the handle that a handler gets. */
  append(handle: unknown, row: SinkRow): Promise<void>;
  /** All rows that the projection's model has. */
  rows(projection: string): Promise<readonly SinkRow[]>;
  /** Removes the storage. */
  stop(): Promise<void>;
}

/** A rule of the port: rejects when the sink behind the harness breaks it. */
export interface SinkCheck {
  readonly name: string;
  readonly run: (harness: SinkHarness) => Promise<void>;
}
