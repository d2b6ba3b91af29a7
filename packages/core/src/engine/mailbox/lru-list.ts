/**
 * Members that have nothing to do, the longest idle one first. Each keeps its neighbours itself, so
 * joining and leaving cost the same however many there are, and an idle one costs no entry in a
 * table.
 */

/** A member that may stand in a line; only the line changes these. */
export interface Standing<Self> {
  ahead: Self | undefined;
  behind: Self | undefined;
}

export class LruList<Member extends Standing<Member>> {
  #first: Member | undefined;
  #last: Member | undefined;

  /** The longest idle one. */
  get first(): Member | undefined {
    return this.#first;
  }

  /** Go to the end of the line, from wherever it is. */
  join(member: Member): void {
    this.leave(member);
    member.ahead = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.behind = member;
    this.#last = member;
  }

  /** Takes a member out of the line, if it stands there. */
  leave(member: Member): void {
    const { ahead, behind } = member;
    if (ahead !== undefined) ahead.behind = behind;
    else if (this.#first === member) this.#first = behind;
    else return;
    if (behind !== undefined) behind.ahead = ahead;
    else this.#last = ahead;
    member.ahead = undefined;
    member.behind = undefined;
  }
}
