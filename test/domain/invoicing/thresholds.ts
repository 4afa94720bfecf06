import { type Instant, instant } from "../../../src/domain/calendar/index.ts";
import type { PlanVersion } from "../../../src/domain/catalog/index.ts";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import {
  type BilledBefore,
  billSoFar,
  type ClosedPeriod,
  chargedSoFar,
  closePeriod,
  closingEntries,
  type PeriodFacts,
  type RecordedDraw,
  ratedSoFar,
  stretchesOf,
} from "../../../src/domain/invoicing/index.ts";
import { currency, type Decimal, decimal, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { january, meters, terms } from "./plans.ts";

const usd = currency("usd");

/** Tokens of each model so far. */
export type Reading = Readonly<Record<string, number>>;

/** January of one customer, billed one part after the other, with what was billed before and what is left of the credit. */
export class BilledInParts {
  readonly invoices: ClosedPeriod[] = [];
  readonly #plan: PlanVersion;
  readonly #until: { readonly at: Instant; readonly reading: Reading } | null;
  #grants: readonly CreditGrant[];
  #before: BilledBefore | undefined;
  #billed: Reading | null = null;

  /** @param until what had been used by an instant at which a grant ends */
  constructor(
    plan: PlanVersion,
    grants: readonly CreditGrant[] = [],
    until: { readonly at: Instant; readonly reading: Reading } | null = null,
  ) {
    this.#plan = plan;
    this.#grants = grants;
    this.#until = until;
  }

  /** What thresholds would measure. */
  charged(reading: Reading): Decimal {
    return chargedSoFar(ratedSoFar(this.#facts(reading)));
  }

  /** At a threshold. */
  bill(reading: Reading): ClosedPeriod {
    return this.#issued(billSoFar(this.#facts(reading)), reading);
  }

  close(reading: Reading): ClosedPeriod {
    return this.#issued(closePeriod(this.#facts(reading)), reading);
  }

  /** What a customer has been asked for in all, less what went back to the balance. */
  askedFor(): bigint {
    const lines = this.invoices.flatMap((each) =>
      each.lines.filter(({ kind }) => !kind.startsWith("carried")),
    );
    const asked = lines.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);
    const back = this.invoices.flatMap(({ rest }) => rest?.givenBack ?? []);
    return asked - back.reduce((sum, { moneyToBalance }) => sum + moneyToBalance.amountMinor, 0n);
  }

  /** What all entries put into an account less what they took out of it, credits positive, in 10⁻⁸ of the minor unit. */
  credits(code: string): bigint {
    const postings = this.invoices.flatMap((each, index) =>
      closingEntries(
        {
          ...{ invoiceId: `inv_${index}`, customerId: "acme", subscriptionId: "sub_1", currency: usd },
          issuedAt: instant("2026-01-20T00:00:00Z"),
          period: january,
          grantKinds: new Map(this.#grants.map(({ id, kind }) => [id, kind])),
          revision: index,
          revisionOf: () => index,
          advance: [],
        },
        each,
      ).flatMap((entry) => entry.postings),
    );
    return postings.reduce((sum, { debit, credit, amount }) => {
      if (credit.code === code) return sum + amount;
      return debit.code === code ? sum - amount : sum;
    }, 0n);
  }

  #facts(reading: Reading): PeriodFacts {
    const agreed = [terms(this.#plan, "2026-01-01T00:00:00Z")];
    const usageOf = (read: Reading) => {
      const readings = Object.entries(read).map(([model, tokens]) => ({
        meterKey: "tokens",
        dimensions: { model },
        quantity: decimal(BigInt(tokens)),
      }));
      return stretchesOf(agreed, january).map((stretch) => ({ stretch, readings }));
    };
    const until = this.#until;
    const usedBy = (read: Reading, by: Reading) => usageOf(lower(read, by));
    const billed = this.#billed;
    return {
      ...{ currency: usd, period: january, full: january, next: null, terms: agreed, meters },
      usage: usageOf(reading),
      usageUntil:
        until === null
          ? []
          : [
              {
                ...{ at: until.at, usage: usedBy(reading, until.reading) },
                ...(billed === null ? {} : { before: usedBy(billed, until.reading) }),
              },
            ],
      ...(this.#before === undefined ? {} : { before: this.#before }),
      ...{ late: [], waiting: [], grants: this.#grants },
      customerBalance: money(0n, "usd"),
      carried: money(0n, "usd"),
      asOf: instant("2026-01-20T00:00:00Z"),
    };
  }

  /** What the database keeps of it. */
  #issued(billed: ClosedPeriod, reading: Reading): ClosedPeriod {
    this.#billed = reading;
    const invoiceId = `inv_${this.invoices.push(billed)}`;
    const drawn = billed.totals.draws.map((draw, position): RecordedDraw => {
      const line = billed.lines[draw.line];
      return {
        ...draw,
        ...{ invoiceId, position, kind: "promotional", isEnded: false, line: draw.line + 1 },
        product: line?.product ?? "",
        planKey: line?.source?.planKey ?? null,
        priceKey: line?.source?.priceKey ?? null,
        lineStart: line?.period.start ?? 0,
      };
    });
    const returned = billed.rest?.givenBack.flatMap((given) => given.returned) ?? [];
    const sumOf = (draws: readonly { readonly grantId: string; readonly amount: bigint }[], id: string) =>
      draws.reduce((sum, { grantId, amount }) => (grantId === id ? sum + amount : sum), 0n);
    this.#grants = this.#grants.map((grant) => ({
      ...grant,
      remaining: ledgerAmount(grant.remaining - sumOf(drawn, grant.id) + sumOf(returned, grant.id)),
    }));
    const left = (this.#before?.draws ?? []).map((draw) => {
      const same = returned.filter(
        (back) => back.invoiceId === draw.invoiceId && back.position === draw.position,
      );
      return { ...draw, amount: ledgerAmount(draw.amount - sumOf(same, draw.grantId)) };
    });
    this.#before = {
      booked: billed.rated.map(({ stretch, plan, price, rated: { quantity, exactMinor } }) => ({
        ...{ termsStart: stretch.start, planKey: plan.key, priceKey: price.key },
        ...{ quantity, exactMinor },
      })),
      adjusted: billed.adjusted,
      draws: [...left, ...drawn],
    };
    return billed;
  }
}

/** No more by an instant than there is in all. */
function lower(one: Reading, other: Reading): Reading {
  return Object.fromEntries(
    Object.entries(one).map(([model, tokens]) => [model, Math.min(tokens, other[model] ?? 0)]),
  );
}
