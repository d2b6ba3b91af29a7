/** The complaints of a check: counted without bound, told in words up to a bound. */

export type Complaint = "lost" | "duplicated" | "wrong";

export class Findings {
  lost = 0;
  duplicated = 0;
  wrong = 0;
  /** The first ones. */
  readonly texts: string[] = [];

  add(complaint: Complaint, text: string): void {
    this[complaint] += 1;
    if (this.texts.length < textsMax) this.texts.push(`${complaint}: ${text}`);
  }
}

const textsMax = 12;
