import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Names a user of a spool's folder, in its segments' names: where it runs, its process, and one of many in that. */
export function newOwner(): string {
  return `${here()}-${process.pid}-${randomBytes(4).toString("hex")}`;
}

/**
 * Whether that owner has certainly ended. False when it may be running: it runs elsewhere, or another process has its
 * number by now. Then only its silence tells.
 */
export function hasCertainlyEnded(owner: string): boolean {
  const [place, pid] = owner.split("-");
  if (place !== here()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // Any other refusal (EPERM) is about a process that exists.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

let knownPlace: string | undefined;

/** Processes of the same place see each other's numbers: one machine, since it was started, and not another container. */
function here(): string {
  knownPlace ??= createHash("sha256")
    .update(JSON.stringify([hostname(), bootId(), processNamespace()]))
    .digest("hex")
    .slice(0, 8);
  return knownPlace;
}

const bootId = () => orEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
const processNamespace = () => orEmpty(() => readlinkSync("/proc/self/ns/pid"));

/** Where there is no such thing, the rest must do. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
