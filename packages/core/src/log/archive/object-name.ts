/** Names of an archive's objects: the same in a directory and in a bucket. */
import { ArchiveRefusedError } from "../../errors/archive-errors.ts";

/** Requires a usable name, for stores. @throws ArchiveRefusedError */
export function requireObjectName(name: string): void {
  const parts = name.split("/");
  const isUsable = parts.every((part) => /^[\w.%~=+@,-]{1,200}$/.test(part) && !/^\.+$/.test(part));
  if (isUsable && name.length <= 800) return;
  throw new ArchiveRefusedError(`${JSON.stringify(name)} cannot name an object of an archive.`, {
    details: { object: name },
  });
}
