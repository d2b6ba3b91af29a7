/**
 * Chinese resident identity numbers: 17 digits and a check character, which may be an X.
 *
 * The check character and a possible date of birth keep order numbers of the same length out.
 */
import { matchSpans, type PiiSpan } from "./span.ts";

const residentId = /(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx](?!\d)/;
const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;
const checkCharacters = "10X98765432";

/** All resident identity numbers of a half-width text. */
export function findResidentIds(text: string): readonly PiiSpan[] {
  return matchSpans(text, "residentId", residentId, (match) =>
    isResidentId(match.replaceAll(/[ -]/g, "")),
  );
}

/** True for 18 characters with a possible date of birth and the right check character. */
export function isResidentId(number: string): boolean {
  return /^\d{17}[\dXx]$/.test(number) && hasBirthDate(number) && hasCheckCharacter(number);
}

function hasBirthDate(number: string): boolean {
  return /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(number.slice(6, 14));
}

function hasCheckCharacter(number: string): boolean {
  const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0);
  return checkCharacters[sum % 11] === number[17]?.toUpperCase();
}
