import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import type { DunningPolicy } from "./dunning-policy.ts";
import { type AccessLevel, accessLevels } from "./dunning-terms.ts";

/** What a customer may use while an invoice is not paid, and when that changes next by the policy alone. */
export interface Access {
  readonly level: AccessLevel;
  readonly next: { readonly at: Instant; readonly level: AccessLevel } | null;
}

/** By the steps of a policy, which have nothing to do with its attempts. */
export function accessAt(policy: DunningPolicy, startedAt: Instant, now: Instant): Access {
  const begun = policy.access.filter(({ afterMs }) => startedAt + afterMs <= now);
  return { level: begun.at(-1)?.level ?? "granted", next: nextAccessChange(policy, startedAt, now) };
}

/** The first change of access after `now`; null when none is left. */
export function nextAccessChange(
  { access }: DunningPolicy,
  startedAt: Instant,
  now: Instant,
): { readonly at: Instant; readonly level: AccessLevel } | null {
  const next = access.find(({ afterMs }) => startedAt + afterMs > now);
  return next === undefined ? null : { at: instantOfEpochMs(startedAt + next.afterMs), level: next.level };
}

/** Of several invoices that are not paid the strictest counts, now and at the next change. */
export function strictestAccess(accesses: readonly Access[]): Access {
  const level = strictest(accesses.map((access) => access.level));
  const changes = accesses.flatMap(({ next }) => next ?? []).toSorted((one, other) => one.at - other.at);
  const worse = changes.find((change) => accessLevels.indexOf(change.level) > accessLevels.indexOf(level));
  return { level, next: worse ?? null };
}

function strictest(levels: readonly AccessLevel[]): AccessLevel {
  return accessLevels[Math.max(0, ...levels.map((level) => accessLevels.indexOf(level)))] ?? "granted";
}
