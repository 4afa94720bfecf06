import type { Instant } from "../calendar/index.ts";
import type { Currency } from "../money/index.ts";
import type { CreditGrant } from "./credit-grant.ts";
import { type Occurrence, occurrencesUntil } from "./recurrence.ts";
import { occurrenceGrantId, type RecurringGrant, rolloverGrantId } from "./recurring-grant.ts";
import { carriedOver, keptWithin, rolloverExpiry } from "./rollover.ts";

/** A recurring grant that was agreed to, and how far it has come. */
export interface AgreedRecurring {
  readonly recurring: RecurringGrant;
  readonly currency: Currency;
  /** Which time is given next. */
  readonly nextOccurrence: number;
  readonly activeSince: Instant;
  /** When somebody stopped it; null: nobody did. */
  readonly endedAt: Instant | null;
}

/** The times that have come by an instant, since the one that is given next. */
export function timesDue(
  { recurring, nextOccurrence }: Pick<AgreedRecurring, "recurring" | "nextOccurrence">,
  asOf: Instant,
): Occurrence[] {
  return occurrencesUntil(recurring.recurrence, asOf, nextOccurrence);
}

/** Whether a time is given: not if it was over before anybody agreed to it, nor once it was stopped. */
export function isGiven(
  { start, end }: Occurrence,
  { activeSince, endedAt }: Pick<AgreedRecurring, "activeSince" | "endedAt">,
): boolean {
  return end > activeSince && (endedAt === null || start < endedAt);
}

/** The grants that will have been given by an instant, and are not yet. */
export function expectedGrants(agreed: readonly AgreedRecurring[], asOf: Instant): CreditGrant[] {
  return agreed.flatMap((each) =>
    timesDue(each, asOf)
      .filter((time) => isGiven(time, each))
      .map(({ number, start, end }) => ({
        ...givenBy(each),
        id: occurrenceGrantId(each.recurring.id, number),
        remaining: each.recurring.amount,
        effectiveAt: start,
        expiresAt: end,
        createdAt: start,
      })),
  );
}

/**
 * Grants as they are when some have ended: those are gone, and what is left of a recurring grant's times has gone over to the
 * next.
 */
export function grantsAfter(
  grants: readonly CreditGrant[],
  agreed: readonly AgreedRecurring[],
  isOver: (grant: CreditGrant) => boolean,
): CreditGrant[] {
  const ended = grants
    .filter(isOver)
    .sort((one, other) => (one.expiresAt ?? 0) - (other.expiresAt ?? 0) || (one.id < other.id ? -1 : 1));
  let left = grants.filter((grant) => !isOver(grant));
  for (const grant of ended) {
    const of = agreed.find(({ recurring }) => occurrenceOf(recurring, grant) !== null);
    if (of !== undefined) left = rolledOver(left, grant, of);
  }
  return left.filter((grant) => !isOver(grant));
}

function rolledOver(left: readonly CreditGrant[], ended: CreditGrant, of: AgreedRecurring): CreditGrant[] {
  const { id, rollover, recurrence } = of.recurring;
  const { expiresAt: at } = ended;
  const number = occurrenceOf(of.recurring, ended);
  if (rollover === null || at === null || number === null) return [...left];
  const isLast = recurrence.expiresAt !== null && recurrence.expiresAt <= at;
  if (isLast || (of.endedAt !== null && of.endedAt <= at)) return [...left];
  const earlier = left
    .filter((grant) => grant.isRollover === true && grant.id.startsWith(`${id}.`))
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > at)
    .sort((one, other) => one.effectiveAt - other.effectiveAt || (one.id < other.id ? -1 : 1));
  const over: CreditGrant = {
    ...givenBy(of),
    id: rolloverGrantId(id, number + 1),
    remaining: carriedOver(ended.remaining, rollover),
    effectiveAt: at,
    expiresAt: rolloverExpiry(at, rollover, recurrence.anchor.timeZone),
    createdAt: at,
    isRollover: true,
  };
  const all = [...earlier, over];
  const kept = keptWithin(
    all.map(({ remaining }) => remaining),
    rollover.cap,
  );
  return [
    ...left.filter((grant) => !earlier.includes(grant)),
    ...all.map((grant, index) => ({ ...grant, remaining: kept[index] ?? grant.remaining })),
  ];
}

/** What all grants of a recurring grant have in common: nobody pays for them. */
function givenBy({ recurring: { priority, scope }, currency }: AgreedRecurring) {
  return { kind: "promotional" as const, priority, currency, ...(scope === undefined ? {} : { scope }) };
}

/** Which time of the recurring grant a grant is; null when it is none of its times. */
function occurrenceOf({ id }: RecurringGrant, grant: CreditGrant): number | null {
  const number = grant.id.startsWith(`${id}.`) ? grant.id.slice(id.length + 1) : "";
  return /^\d+$/.test(number) && grant.isRollover !== true ? Number(number) : null;
}
