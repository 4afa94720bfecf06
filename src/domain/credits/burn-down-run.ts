import type { Instant } from "../calendar/index.ts";
import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import { take } from "./burn.ts";
import type { Beginning, BurnDown, BurnedDownGrant, DrawAt, UsageAt } from "./burn-down.ts";
import { spendingOrder } from "./burn-order.ts";
import type { CreditPolicy } from "./credit-policy.ts";
import { isInScope } from "./grant-scope.ts";
import { carriedOver, keptWithin, rolloverExpiry } from "./rollover.ts";

const none = ledgerAmount(0n);

/** A grant or an occurrence as it stands in the course of a burn-down. */
interface Bucket extends Beginning {
  readonly begun: LedgerAmount;
  remaining: LedgerAmount;
  raised: LedgerAmount;
  drawn: LedgerAmount;
  rolledOver: LedgerAmount;
  lost: LedgerAmount;
  hasEnded: boolean;
}

/** The steps of a burn-down, told instant by instant. */
export class BurnDownRun {
  readonly #policy: CreditPolicy;
  readonly #usage: readonly UsageAt[];
  readonly #buckets: Bucket[] = [];
  readonly #draws: DrawAt[] = [];
  /** By the usage's place; usage that has not come yet is not in it. */
  readonly #uncovered = new Map<number, LedgerAmount>();
  /** Since when usage is of the period that is open. */
  #openSince = Number.NEGATIVE_INFINITY;

  constructor(policy: CreditPolicy, usage: readonly UsageAt[]) {
    this.#policy = policy;
    this.#usage = usage;
  }

  /** Ends what can no longer be spent, the soonest first; what is left of an occurrence goes over to the next. */
  end(at: Instant): void {
    const ended = this.#buckets
      .filter(({ hasEnded, expiresAt }) => !hasEnded && expiresAt !== null && expiresAt <= at)
      .sort((one, other) => (one.expiresAt ?? 0) - (other.expiresAt ?? 0) || (one.id < other.id ? -1 : 1));
    for (const bucket of ended) {
      if (bucket.hasNext) this.#rollOver(bucket, bucket.expiresAt ?? at);
      bucket.lost = ledgerAmount(bucket.lost + bucket.remaining);
      bucket.remaining = none;
      bucket.hasEnded = true;
    }
  }

  reset(at: Instant): void {
    this.#openSince = at;
    for (const bucket of this.#buckets) {
      const { rollover, remaining, hasEnded } = bucket;
      if (rollover === undefined || hasEnded) continue;
      const next = carriedOver(remaining, rollover);
      if (next > remaining) bucket.raised = ledgerAmount(bucket.raised + next - remaining);
      else bucket.lost = ledgerAmount(bucket.lost + remaining - next);
      bucket.remaining = next;
    }
  }

  begin(beginnings: readonly Beginning[], at: Instant): void {
    if (beginnings.length === 0) return;
    this.#buckets.push(...beginnings.map(bucketOf));
    if (this.#policy.earlierUsage === "none") return;
    for (const [usage, amount] of [...this.#uncovered].sort(([one], [other]) => one - other)) {
      if (amount > 0n) this.#pay(usage, amount, at, (bucket) => this.#paysEarlier(bucket, usage, at));
    }
  }

  use(at: Instant): void {
    for (const [usage, used] of this.#usage.entries()) {
      if (used.at === at) this.#pay(usage, used.amount, at, () => true);
    }
  }

  result(): BurnDown {
    return {
      grants: this.#buckets
        .toSorted((one, other) => one.effectiveAt - other.effectiveAt || (one.id < other.id ? -1 : 1))
        .map(burnedDown),
      draws: this.#draws,
      uncovered: [...this.#uncovered]
        .filter(([, amount]) => amount > 0n)
        .sort(([one], [other]) => one - other)
        .map(([usage, amount]) => ({ usage, amount })),
    };
  }

  /** A grant that takes effect now may pay for what was used before; what begins a new time is for that time. */
  #paysEarlier(bucket: Bucket, usage: number, at: Instant): boolean {
    if (bucket.effectiveAt !== at) return false;
    if (this.#policy.earlierUsage === "unbilled") return true;
    const usedAt = this.#usage[usage]?.at ?? at;
    return usedAt >= this.#openSince && (bucket.number ?? 0) === 0 && bucket.isRollover !== true;
  }

  #pay(usage: number, amount: LedgerAmount, at: Instant, mayPay: (bucket: Bucket) => boolean): void {
    const used = this.#usage[usage];
    if (used === undefined) return;
    const allowed = this.#buckets.filter((bucket) => isInScope(bucket.scope, used) && mayPay(bucket));
    const sources = spendingOrder(allowed, at, this.#policy.burnOrder).map(({ id, remaining }) => ({
      grantId: id,
      amount: remaining,
    }));
    const { taken, left } = take(sources, amount);
    for (const draw of taken) {
      const bucket = allowed.find(({ id }) => id === draw.grantId);
      if (bucket === undefined) continue;
      bucket.remaining = ledgerAmount(bucket.remaining - draw.amount);
      bucket.drawn = ledgerAmount(bucket.drawn + draw.amount);
      this.#draws.push({ at, usage, ...draw });
    }
    this.#uncovered.set(usage, left);
  }

  #rollOver(ended: Bucket, at: Instant): void {
    const { rollover, remaining, recurrence, grantId, number } = ended;
    if (rollover === undefined || recurrence === undefined) return;
    const carried = carriedOver(remaining, rollover);
    ended.rolledOver = carried < remaining ? carried : remaining;
    ended.remaining = ledgerAmount(remaining - ended.rolledOver);
    const expiresAt = rolloverExpiry(at, rollover, recurrence.anchor.timeZone);
    const id = `${grantId}/${(number ?? 0) + 1}/rollover`;
    const { rollover: _, ...terms } = ended;
    const next = {
      ...terms,
      id,
      effectiveAt: at,
      expiresAt,
      remaining: carried,
      isRollover: true,
      hasNext: false,
    };
    const buckets = [
      ...this.#buckets.filter(
        (bucket) => bucket.grantId === grantId && bucket.isRollover && !bucket.hasEnded,
      ),
      bucketOf(next),
    ];
    const kept = keptWithin(
      buckets.map((bucket) => bucket.remaining),
      rollover.cap,
    );
    for (const [index, bucket] of buckets.entries()) {
      const keeps = kept[index] ?? bucket.remaining;
      bucket.lost = ledgerAmount(bucket.lost + bucket.remaining - keeps);
      bucket.remaining = keeps;
    }
    this.#buckets.push(...buckets.slice(-1));
  }
}

function bucketOf(beginning: Beginning): Bucket {
  const begun = beginning.remaining;
  const nothing = { raised: none, drawn: none, rolledOver: none, lost: none };
  return { ...beginning, begun, ...nothing, hasEnded: false };
}

function burnedDown(bucket: Bucket): BurnedDownGrant {
  const { id, grantId, effectiveAt, expiresAt, raised, drawn, rolledOver, lost, remaining } = bucket;
  const isRollover = bucket.isRollover === true;
  const standing = { granted: bucket.begun, raised, drawn, rolledOver, lost, remaining };
  return { id, grantId, effectiveAt, expiresAt, isRollover, ...standing };
}
