/**
 * The other workers, as far as they can be heard.
 *
 *  - A worker that misses its beat is asked whether it is still there: when its process is gone
 *    nobody answers, and it is dead at once. One that answers, or cannot be asked, counts as alive
 *    until it was silent for `deadAfterMs` (OWN-3).
 *  - Each has an alarm of its own: asking only at our own beats would find a death up to a beat
 *    later.
 */
import type { Clock } from "../../clock/clock.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Log } from "../../log/log.ts";
import type { Presence } from "../../log/presence.ts";

export interface MembersHost {
  readonly log: Pick<Log, "probe">;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  /** The worker that listens. */
  readonly worker: string;
  /** Identity of this start of it. */
  readonly session: string;
  readonly timings: { readonly heartbeatMs: number; readonly deadAfterMs: number };
  /** Called when a worker joined, left, died or holds something else. */
  readonly onChange: (joined: boolean) => void;
  /** Another worker of our own id is alive. */
  readonly onTwin: (twin: Presence) => void;
}

interface Member {
  readonly presence: Presence;
  readonly heardAtMs: number;
  cancelAlarm: () => void;
}

export class Members {
  readonly #host: MembersHost;
  readonly #members = new Map<string, Member>();
  #stopped = false;

  constructor(host: MembersHost) {
    this.#host = host;
  }

  get presences(): readonly Presence[] {
    return [...this.#members.values()].map(({ presence }) => presence);
  }

  heard(presence: Presence): void {
    const { feed, onChange, onTwin, session, worker } = this.#host;
    if (this.#stopped) return;
    if (presence.worker === worker) {
      const isTwin = presence.session !== undefined && presence.session !== session;
      if (isTwin && !presence.leaving) onTwin(presence);
      return;
    }
    const member = this.#members.get(presence.worker);
    const known = member !== undefined;
    if (known && member.presence.session !== presence.session) {
      // One that ends was never this one. One that starts wants to hear us, and may be refused.
      if (presence.joining === true) onChange(true);
      if (presence.joining === true || presence.leaving) return;
    }
    const joined = !known && !presence.leaving;
    if (presence.leaving) {
      this.#forget(presence.worker);
      if (known) feed.emit({ kind: "worker.left", worker: presence.worker, dead: false });
    } else {
      this.#keep(presence);
      if (joined) feed.emit({ kind: "worker.joined", worker: presence.worker });
    }
    onChange(joined);
  }

  /** Forgives the silence of others while we were cut off: they may come back later than we do. */
  forgiveSilence(): void {
    for (const presence of this.presences) this.#keep(presence);
  }

  stop(): void {
    this.#stopped = true;
    for (const { cancelAlarm } of this.#members.values()) cancelAlarm();
  }

  #keep(presence: Presence): void {
    const { clock, timings } = this.#host;
    this.#members.get(presence.worker)?.cancelAlarm();
    const heardAtMs = clock.monotonicMs();
    const member: Member = { presence, heardAtMs, cancelAlarm: () => undefined };
    this.#members.set(presence.worker, member);
    this.#wake(member, Math.min(timings.heartbeatMs * silentBeats, timings.deadAfterMs));
  }

  #wake(member: Member, delayMs: number): void {
    member.cancelAlarm = this.#host.clock.after(delayMs, () => this.#isSilent(member));
  }

  #isSilent(member: Member): void {
    const { clock, log, timings } = this.#host;
    const { worker } = member.presence;
    const leftMs = timings.deadAfterMs - (clock.monotonicMs() - member.heardAtMs);
    if (leftMs <= 0) return this.#died(member);
    this.#wake(member, Math.min(timings.heartbeatMs, leftMs));
    log.probe(worker).then(
      (alive) => {
        if (!alive) this.#died(member);
      },
      // Without an answer it counts as alive until it was silent for too long.
      () => undefined,
    );
  }

  #died(member: Member): void {
    const { worker } = member.presence;
    // It was heard meanwhile, or is gone already.
    if (this.#members.get(worker) !== member || this.#stopped) return;
    this.#forget(worker);
    this.#host.feed.emit({ kind: "worker.left", worker, dead: true });
    this.#host.onChange(false);
  }

  #forget(worker: string): void {
    this.#members.get(worker)?.cancelAlarm();
    this.#members.delete(worker);
  }
}

/** Heartbeats missed before a worker is asked whether it is still there. */
const silentBeats = 1.2;
