import type { Instant } from "../../domain/calendar/index.ts";
import { instant } from "../../domain/calendar/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { expectedDaysMax } from "../../domain/metering/index.ts";
import { currency, ledgerAmount, type Money, money, storedDecimal } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { rowOfJson } from "../json-row.ts";
import { type InvoiceStatus, ratingRun, subscription, subscriptionTerms } from "../schema/billing.ts";
import { seller } from "../schema/invoice-documents.ts";
import { timestamp } from "../timestamp.ts";
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
 * Reads it all in one statement. Take the customer's lock by a statement before: what others did until then is seen.
 * Undefined when there is no such subscription.
 */
export async function periodStanding(
  tx: Tx,
  { subscriptionId, start, asOf }: PeriodToRead,
): Promise<PeriodStanding | undefined> {
  const [answer] = await rows<{ found: StandingFound | null }>(
    tx,
    sql`select billing.period_standing(${subscriptionId}, ${timestamp(start)}, ${timestamp(asOf)}, ${expectedDaysMax}::int) as found`,
  );
  return answer?.found ? standingOf(answer.found) : undefined;
}

function standingOf(found: StandingFound): PeriodStanding {
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
    advance: found.advance.map(advanceLineOf),
    nextScheduledAt: found.nextScheduledAt === null ? null : instant(found.nextScheduledAt),
    customerBalance: balanceInMinorUnits(ledgerAmount(BigInt(found.balance ?? "0")), currency(row.currency)),
    carried: money(BigInt(found.carriedMinor), row.currency),
    seller: found.seller && rowOfJson(seller, found.seller),
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
