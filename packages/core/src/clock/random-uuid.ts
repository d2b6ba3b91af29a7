/** UUIDs of version 4 (RFC 9562) from a given source of chance. */
import type { Random } from "./random.ts";

export function randomUuid(random: Random): string {
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === "x" ? digit : 8 + (digit % 4)).toString(16);
  });
}
