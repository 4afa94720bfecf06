import type { Instant } from "../../domain/calendar/index.ts";
import { instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { InvoiceLine, Invoicing, InvoicingChoice } from "../../domain/invoicing/index.ts";
import { expectedDaysMax } from "../../domain/metering/index.ts";
import { currency, ledgerAmount, type Money, money, storedDecimal } from "../../domain/money/index.ts";
import { askedTogether } from "../asked-together.ts";
import { rows, sql, type Tx } from "../database.ts";
import { rowOfJson } from "../json-row.ts";
import { type InvoiceStatus, ratingRun, subscription, subscriptionTerms } from "../schema/billing.ts";
import { seller } from "../schema/invoice-documents.ts";
import type { SourcesFound } from "../usage/watermarks.ts";
import type { StoredAdvanceLine } from "./advance-lines.ts";
import { balanceInMinorUnits } from "./customer-balance.ts";
import { lineFromJson } from "./line-json.ts";
import { type RatedBefore, ratedBeforeOf, type StoredRun } from "./rating-runs.ts";
import type { StoredSeller } from "./seller.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** What decides a period's invoice beside usage and grants. It stays so while the customer is locked. */
export interface PeriodStanding {
  readonly row: StoredSubscription;
  readonly terms: readonly (typeof subscriptionTerms.$inferSelect)[];
  readonly isOnTestClock: boolean;
  /** How many versions of meters there are. */
  readonly metersPublished: number;
  /** The run that closed the period, or billed it anew; undefined while it is open. */
  readonly closing: StoredRun | undefined;
  readonly rated: RatedBefore;
  /** That wait for the period's own invoice. */
  readonly changes: readonly { readonly changeId: string; readonly lines: readonly InvoiceLine[] }[];
  /** What credit notes gave back of the end of the subscription. */
  readonly returned: readonly InvoiceLine[];
  /** Invoiced in advance for time from the period's start on. */
  readonly advance: readonly StoredAdvanceLine[];
  readonly customerBalance: Money;
  readonly carried: Money;
  /** The instant for which the next change is agreed; null when none is ahead. */
  readonly nextScheduledAt: Instant | null;
  /** Whether the customer has credit grants that have not ended. */
  readonly hasGrants: boolean;
  /** Whether credit may be due to be given, or to be ended. */
  readonly isGrantDue: boolean;
  readonly seller: StoredSeller | null;
  /** Of usage, to be waited for. */
  readonly sources: SourcesFound;
  /** Null where nothing was chosen for the customer: each of his subscriptions has invoices of its own. */
  readonly invoicedWith: InvoicedWith | null;
}

/** How a customer's subscriptions are invoiced, and the others that have something to close. */
export interface InvoicedWith {
  readonly choices: readonly InvoicingChoice[];
  readonly others: readonly { readonly subscriptionId: string; readonly billedThrough: Instant }[];
}

type JsonRow = Readonly<Record<string, unknown>>;

interface StandingFound
  extends Pick<PeriodStanding, "isOnTestClock" | "metersPublished" | "hasGrants" | "isGrantDue" | "sources"> {
  readonly subscription: JsonRow;
  readonly terms: readonly JsonRow[];
  readonly seller: JsonRow | null;
  readonly runs: readonly {
    readonly run: JsonRow;
    readonly status: InvoiceStatus | null;
    readonly charged: string | null;
  }[];
  readonly changes: readonly { readonly changeId: string; readonly lines: readonly unknown[] }[];
  readonly returned: readonly unknown[];
  readonly advance: readonly AdvanceFound[];
  readonly nextScheduledAt: string | null;
  readonly balance: string | null;
  readonly carriedMinor: string;
}

export interface PeriodToRead {
  readonly subscriptionId: string;
  readonly start: Instant;
  readonly asOf: Instant;
}

/**
 * Locks the customer, and then reads it all, of any number of periods at once. Undefined when there is no such subscription.
 * Two periods of one customer are refused: what the invoice of one takes of his money the other would take again.
 */
export const lockedStanding = askedTogether(
  async (tx: Tx, asked: readonly PeriodToRead[]): Promise<(PeriodStanding | undefined)[]> => {
    // Sent one after the other without waiting: the second sees what others did until the lock was had.
    const locked = lockCustomersOf(
      tx,
      asked.map(({ subscriptionId }) => subscriptionId),
    );
    const [, found] = await Promise.all([locked, standings(tx, asked)]);
    const customers = found.map((standing) => standing?.row.customerId);
    invariant(
      new Set(customers).size === customers.length,
      "periods that are closed together are of different customers",
    );
    return found;
  },
);

/** Locks the customers of subscriptions, in the order in which everybody does. */
async function lockCustomersOf(tx: Tx, subscriptionIds: readonly string[]): Promise<void> {
  // Awaited here, as a statement of Drizzle's is sent when somebody waits for it, not when it is made.
  await tx.execute(sql`select from billing.customer where id in (
      select customer_id from billing.subscription where id in (select json_array_elements_text(${JSON.stringify(subscriptionIds)}::text::json))
    ) order by id for update`);
}

/** The same for who has the lock, of periods of whomever. */
export async function standings(
  tx: Tx,
  asked: readonly PeriodToRead[],
): Promise<(PeriodStanding | undefined)[]> {
  const placed = asked.map(({ subscriptionId, start, asOf }, place) => ({
    place,
    id: subscriptionId,
    begun: new Date(start).toISOString(),
    as_of: new Date(asOf).toISOString(),
  }));
  const answers = await rows<{
    place: number;
    found: StandingFound;
    invoiced_with: InvoicedWithFound | null;
  }>(
    tx,
    sql`select place, found, billing.invoiced_with(id) as invoiced_with
      from billing.period_standings(${JSON.stringify(placed)}::text::json, ${expectedDaysMax}::int)`,
  );
  const ofPlace = new Map(answers.map((answer) => [answer.place, answer]));
  return asked.map((_, place) => {
    const answer = ofPlace.get(place);
    const together = answer?.invoiced_with ?? null;
    return answer && standingOf(answer.found, together && invoicedWithOf(together));
  });
}

interface InvoicedWithFound {
  readonly choices: readonly { readonly effectiveAt: string; readonly invoicing: Invoicing }[];
  readonly others: readonly { readonly subscriptionId: string; readonly billedThrough: string }[];
}

const invoicedWithOf = ({ choices, others }: InvoicedWithFound): InvoicedWith => ({
  choices: choices.map(({ effectiveAt, invoicing }) => ({ effectiveAt: instant(effectiveAt), invoicing })),
  others: others.map(({ subscriptionId, billedThrough }) => ({
    subscriptionId,
    billedThrough: instant(billedThrough),
  })),
});

/** The same of a subscription without a lock, as a preview asks it. */
export async function invoicedWith(tx: Tx, subscriptionId: string): Promise<InvoicedWith | null> {
  const [row] = await rows<{ found: InvoicedWithFound | null }>(
    tx,
    sql`select billing.invoiced_with(${subscriptionId}) as found`,
  );
  return row?.found == null ? null : invoicedWithOf(row.found);
}

function standingOf(found: StandingFound, together: InvoicedWith | null): PeriodStanding {
  const { isOnTestClock, metersPublished, hasGrants, isGrantDue, sources } = found;
  const row = rowOfJson(subscription, found.subscription);
  const runs = found.runs.map(({ run, ...rated }) => ({ ...rated, run: rowOfJson(ratingRun, run) }));
  return {
    row,
    terms: found.terms.map((terms) => rowOfJson(subscriptionTerms, terms)),
    ...{ isOnTestClock, metersPublished, hasGrants, isGrantDue, sources },
    closing: runs.find(({ run }) => run.kind === "closing")?.run,
    rated: ratedBeforeOf(runs),
    changes: found.changes.map(({ changeId, lines }) => ({ changeId, lines: lines.map(lineFromJson) })),
    returned: found.returned.map(lineFromJson),
    advance: found.advance.map(advanceLineOf),
    nextScheduledAt: found.nextScheduledAt === null ? null : instant(found.nextScheduledAt),
    customerBalance: balanceInMinorUnits(ledgerAmount(BigInt(found.balance ?? "0")), currency(row.currency)),
    carried: money(BigInt(found.carriedMinor), row.currency),
    seller: found.seller && rowOfJson(seller, found.seller),
    invoicedWith: together,
  };
}

interface AdvanceFound {
  readonly kind: StoredAdvanceLine["kind"];
  readonly product: string;
  readonly planKey: string | null;
  readonly planVersion: number | null;
  readonly priceKey: string | null;
  readonly quantity: string | null;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly amountMinor: string;
  readonly currency: string;
  readonly detail: StoredAdvanceLine["detail"];
}

function advanceLineOf(line: AdvanceFound): StoredAdvanceLine {
  const { kind, product, planKey, planVersion, priceKey, quantity, detail } = line;
  const isOfPrice = planKey !== null && planVersion !== null && priceKey !== null;
  return {
    kind,
    product,
    source: isOfPrice ? { planKey, planVersion, priceKey } : null,
    quantity: quantity === null ? null : storedDecimal(quantity),
    period: { start: instant(line.periodStart), end: instant(line.periodEnd) },
    amount: money(BigInt(line.amountMinor), line.currency),
    detail,
  };
}
