import type { CutOffPolicy, Feature } from "../catalog/index.ts";
import { decimal } from "../money/index.ts";
import type { EntitlementSource } from "./source.ts";

/**
 * What is done with a feature while nothing can be asked: of the sources that count the most generous that says it, else the
 * feature, else by its type. A setting is right until it changes; what is used up may be over already.
 */
export function cutOffPolicy(
  { type, whenCutOff }: Pick<Feature, "type" | "whenCutOff">,
  sources: readonly EntitlementSource[],
): CutOffPolicy {
  const said = sources.flatMap(({ entitlement }) => entitlement.whenCutOff ?? []);
  const [most] = said.toSorted(compareGenerosity);
  return most ?? whenCutOff ?? { use: type === "metered" || type === "budget" ? "denied" : "allowed" };
}

const ranks = { allowed: 0, allowed_up_to: 1, denied: 2 } as const;

/** The most generous first. */
function compareGenerosity(one: CutOffPolicy, other: CutOffPolicy): number {
  if (one.use !== "allowed_up_to" || other.use !== "allowed_up_to") return ranks[one.use] - ranks[other.use];
  const [ours, theirs] = [decimal(one.quantity), decimal(other.quantity)];
  return ours.isLessThan(theirs) ? 1 : theirs.isLessThan(ours) ? -1 : 0;
}
