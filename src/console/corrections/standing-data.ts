import type { UsageEvent } from "../reads/resources.ts";

/** What an event says now: as it was last amended, or as it came. */
export function standingData({ data, corrections = [] }: Pick<UsageEvent, "data" | "corrections">) {
  return corrections.findLast((correction) => correction.data !== undefined)?.data ?? data;
}

/** A void is final. */
export const isVoided = ({ corrections = [] }: Pick<UsageEvent, "corrections">): boolean =>
  corrections.some(({ kind }) => kind === "void");
