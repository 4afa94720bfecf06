import type { Instant } from "../calendar/index.ts";
import type { LedgerAmount } from "../money/index.ts";
import { BurnAmountInvalidError, requireNotNegative, requireOneCurrency } from "./burn.ts";
import { BurnDownRun } from "./burn-down-run.ts";
import type { CreditGrant } from "./credit-grant.ts";
import { type CreditPolicy, usualCreditPolicy } from "./credit-policy.ts";
import type { UsedItem } from "./grant-scope.ts";
import { occurrencesUntil, type Recurrence } from "./recurrence.ts";
import { type Rollover, requireSoundRollover } from "./rollover.ts";

/** A grant before anything was spent: `remaining` is what it begins with, each time when it recurs. */
export interface GrantOverTime extends CreditGrant {
  /** Each occurrence is credit of its own, `{id}/{number}`, that ends when the next begins. */
  readonly recurrence?: Omit<Recurrence, "effectiveAt" | "expiresAt">;
  /** What goes over to the next occurrence, or over a reset; without it nothing does, and resets leave the grant alone. */
  readonly rollover?: Rollover;
}

/** Usage at an instant, and what it costs. */
export interface UsageAt extends UsedItem {
  readonly at: Instant;
  readonly amount: LedgerAmount;
}

export interface BurnDownFacts {
  /** Of one currency, each with its own id. */
  readonly grants: readonly GrantOverTime[];
  /** Of one instant in the order in which it is to be paid. */
  readonly usage: readonly UsageAt[];
  /** When a usage period ends and the next begins: every grant with a rollover then holds what goes over. */
  readonly resets: readonly Instant[];
  /** What is asked for is how it stands then, with all that happens in that instant. */
  readonly at: Instant;
  readonly policy?: CreditPolicy;
}

/** What became of one grant, or one occurrence: granted + raised = drawn + rolledOver + lost + remaining. */
export interface BurnedDownGrant {
  readonly id: string;
  /** The grant as it was given to the calculation. */
  readonly grantId: string;
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
  readonly isRollover: boolean;
  readonly granted: LedgerAmount;
  /** What resets added. */
  readonly raised: LedgerAmount;
  readonly drawn: LedgerAmount;
  readonly rolledOver: LedgerAmount;
  /** What expired, or was cut off by a maximum or a cap. */
  readonly lost: LedgerAmount;
  readonly remaining: LedgerAmount;
}

export interface DrawAt {
  readonly at: Instant;
  /** Which usage it pays: its place in what was given. */
  readonly usage: number;
  /** {@link BurnedDownGrant.id} */
  readonly grantId: string;
  readonly amount: LedgerAmount;
}

export interface BurnDown {
  /** By when they took effect, then by id. */
  readonly grants: readonly BurnedDownGrant[];
  /** In the order they were made. */
  readonly draws: readonly DrawAt[];
  /** Of each usage until `at`, in its order in what was given, what nothing paid; zeros left out. */
  readonly uncovered: readonly { readonly usage: number; readonly amount: LedgerAmount }[];
}

/**
 * How grants are spent over time. In one instant: what ends then ends, resets apply, what begins then begins, usage is paid.
 * The order in which grants are given does not matter.
 * @throws BurnAmountInvalidError for negative amounts, several currencies, or two grants of one id
 * @throws RolloverInvalidError
 */
export function burnDown(facts: BurnDownFacts): BurnDown {
  requireSound(facts);
  const { usage, resets, at, policy = usualCreditPolicy } = facts;
  const run = new BurnDownRun(policy, usage);
  const beginnings = facts.grants.flatMap((grant) => beginningsOf(grant, at));
  const instants = new Set(
    [
      ...beginnings.map(({ effectiveAt }) => effectiveAt),
      ...resets,
      ...usage.map((used) => used.at),
      at,
    ].filter((instant) => instant <= at),
  );
  for (const instant of [...instants].sort((one, other) => one - other)) {
    run.end(instant);
    if (resets.includes(instant)) run.reset(instant);
    run.begin(
      beginnings.filter(({ effectiveAt }) => effectiveAt === instant),
      instant,
    );
    run.use(instant);
  }
  return run.result();
}

/** A grant, or one of its occurrences, when it begins. */
export interface Beginning extends GrantOverTime {
  readonly grantId: string;
  /** Of an occurrence; undefined of a grant that does not recur. */
  readonly number?: number;
  /** Whether another occurrence follows, which what is left can go over to. */
  readonly hasNext: boolean;
}

function beginningsOf(grant: GrantOverTime, at: Instant): Beginning[] {
  const { id: grantId, recurrence, effectiveAt, expiresAt } = grant;
  if (recurrence === undefined) return [{ ...grant, grantId, hasNext: false }];
  return occurrencesUntil({ ...recurrence, effectiveAt, expiresAt }, at).map(({ number, start, end }) => ({
    ...grant,
    id: `${grantId}/${number}`,
    grantId,
    number,
    effectiveAt: start,
    expiresAt: end,
    hasNext: expiresAt === null || end < expiresAt,
  }));
}

function requireSound({ grants, usage }: BurnDownFacts): void {
  requireOneCurrency(grants);
  if (new Set(grants.map(({ id }) => id)).size < grants.length)
    throw new BurnAmountInvalidError("each grant is given once: two have one id");
  for (const { remaining, rollover } of grants) {
    requireNotNegative(remaining);
    if (rollover !== undefined) requireSoundRollover(rollover);
  }
  for (const { amount } of usage) requireNotNegative(amount);
}
