/** An event as a journal has it. */
export interface RecordedEvent {
  readonly type: string;
  readonly data: unknown;
  /** Version of the data's shape, as it was declared then; absent means 1. */
  readonly version?: number | undefined;
}
