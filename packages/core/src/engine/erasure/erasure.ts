/** Options and report of an erasure. */
import type { AgentId } from "../../definition/message/address.ts";
import type { Archive } from "../../log/archive/archive-port.ts";
import type { Clock } from "../../clock/clock.ts";
import type { Holdings } from "../../log/holdings.ts";
import type { Position } from "../../definition/message/input.ts";
import type { CallOptions, Log } from "../../log/log.ts";
import type { OptionRules } from "../../definition/option-rules.ts";

export interface ErasureHost {
  readonly log: Log;
  /** Place of the records that were truncated; the agent's part of them is erased, too. */
  readonly archive: Pick<Archive, "erase"> | undefined;
  readonly clock: Clock;
  /** Name of the operator, when the options do not say it. */
  readonly name: string;
}

export interface EraseOptions extends CallOptions {
  /** Count only; nothing is changed. @default false */
  readonly dryRun?: boolean;
  /**
   * Name of the operator, for the tombstone and the audit record; no personal data. @default the
   * client's name
   */
  readonly by?: string;
  /** Reason, for the same; no personal data. @default none */
  readonly reason?: string;
}

export const eraseOptionRules: OptionRules<EraseOptions> = Object.freeze({
  dryRun: "other",
  by: "other",
  reason: "other",
  signal: "other",
});

/** A part of what was erased, `publications on inquiries`, with what there was when it began. */
export interface ErasedPart extends Holdings {
  readonly part: string;
}

/** Publications that stay, because others need them. */
export interface KeptPublications extends Holdings {
  readonly topic: string;
  /** Agents that have not handled all of it, or may have to handle it again. */
  readonly neededBy: readonly string[];
}

/** A message that the agent sent: others hold it. */
export interface SentMessage {
  /** `agent/<type>/<key>` or `topic/<topic>/<source>`. */
  readonly to: string;
  readonly id: string;
  /** Position of the turn that sent it. */
  readonly position: Position;
}

export interface Erasure {
  readonly agent: AgentId;
  /** False after a dry run. */
  readonly done: boolean;
  /** An erasure that had ended in the middle was finished. */
  readonly resumed: boolean;
  /** Every message up to here is done; those behind it begin a new life of the agent. */
  readonly upTo: Position;
  readonly parts: readonly ErasedPart[];
  /** Whether there was a key of the data subject of this name. */
  readonly key: boolean;
  readonly kept: readonly KeptPublications[];
  /** Number of messages the agent sent, and the first thousand of them. */
  readonly sentCount: number;
  readonly sent: readonly SentMessage[];
  /** Segments and entries of it that the archive had; undefined without an archive. */
  readonly archived: { readonly segments: number; readonly entries: number } | undefined;
}

export const sentShownMax = 1000;
