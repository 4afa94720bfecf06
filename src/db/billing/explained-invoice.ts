import { asc, eq } from "drizzle-orm";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type ExplanationStep,
  explainLine,
  explainSum,
  type LineToExplain,
  type SeenUsage,
} from "../../domain/invoicing/explanation/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { ledgerAmount, type Money, money } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { creditDraw } from "../schema/credit-grants.ts";
import { findCustomer } from "./customers.ts";
import { partsOfInvoice, type StoredPart } from "./invoice-parts.ts";
import { lineOfRow, linesOfInvoice, type StoredInvoice } from "./invoices.ts";
import { isLineOf, ratedRows } from "./line-events.ts";
import { planVersion } from "./plan-versions.ts";

export interface ExplainedInvoice {
  readonly lines: readonly {
    readonly line: number;
    readonly said: InvoiceLine;
    readonly steps: readonly ExplanationStep[];
  }[];
  readonly sum: readonly ExplanationStep[];
}

/** How each line of an invoice came about, and its total: from what was kept with it. */
export async function explainedInvoice(tx: Tx, invoice: StoredInvoice): Promise<ExplainedInvoice> {
  const { id, currency, customerId } = invoice;
  const customer = await findCustomer(tx, customerId);
  invariant(customer, "an invoice has a customer");
  const stored = await linesOfInvoice(tx, id);
  const parts = await partsOfInvoice(tx, id);
  const usage = await usageOfLines(tx, id, parts);
  const draws = await tx
    .select()
    .from(creditDraw)
    .where(eq(creditDraw.invoiceId, id))
    .orderBy(asc(creditDraw.position));
  const lines = [];
  for (const row of stored) {
    const said = lineOfRow(row, currency);
    const asked: LineToExplain = {
      line: said,
      timeZone: customer.timeZone,
      usage: usage.get(row.line) ?? null,
      model: await modelOf(tx, said),
      credits: draws
        .filter(({ line }) => line === row.line)
        .map(({ grantId, amount }) => ({ grantId, amount: ledgerAmount(BigInt(amount)) })),
    };
    lines.push({ line: row.line, said, steps: explainLine(asked) });
  }
  const untaxed = lines.filter(({ said }) => said.kind !== "tax");
  return { lines, sum: explainSum({ lines: untaxed.length, ...amountsOf(invoice) }) };
}

/** What an invoice says of money, and what has become of it. */
export function amountsOf(
  invoice: StoredInvoice,
): Readonly<
  Record<"subtotal" | "tax" | "creditsApplied" | "balanceApplied" | "total" | "credited" | "paid", Money>
> {
  const of = (amount: bigint) => money(amount, invoice.currency);
  return {
    subtotal: of(invoice.subtotalMinor),
    tax: of(invoice.taxMinor),
    creditsApplied: of(invoice.creditsAppliedMinor),
    balanceApplied: of(invoice.balanceAppliedMinor),
    total: of(invoice.totalMinor),
    credited: of(invoice.creditedMinor),
    paid: of(invoice.amountPaidMinor),
  };
}

interface UsageRow extends Omit<SeenUsage, "window" | "fingerprint"> {
  readonly line: number;
  readonly part: number;
  readonly start_ms: bigint;
  readonly end_ms: bigint;
}

/** Which usage the lines of an invoice were rated from, by their numbers. */
async function usageOfLines(
  tx: Tx,
  invoiceId: string,
  parts: readonly StoredPart[],
): Promise<ReadonlyMap<number, SeenUsage>> {
  const found = await rows<UsageRow>(
    tx,
    sql`select line.line, line.part, meter.key as meter, meter.version as "meterVersion", run.snapshot::text as snapshot, run.revision,
        (extract(epoch from rated.terms_start) * 1000)::int8 as start_ms, (extract(epoch from rated.terms_end) * 1000)::int8 as end_ms
      from billing.invoice join billing.invoice_line as line on line.invoice_id = invoice.id
      join billing.invoice_part as of on (of.invoice_id, of.part) = (line.invoice_id, line.part)
      cross join (${ratedRows}) join catalog.meter on meter.number = rated.meter
      where invoice.id = ${invoiceId} and run.subscription_id = of.subscription_id and ${isLineOf}`,
  );
  return new Map(
    found.map(({ line, part, start_ms, end_ms, ...rest }) => {
      const window = { start: instantOfEpochMs(Number(start_ms)), end: instantOfEpochMs(Number(end_ms)) };
      const facts = parts.find((each) => each.part === part)?.facts;
      const kept = facts?.kind === "period" ? facts.usage : [];
      const seen = kept.find(({ meterKey, start }) => meterKey === rest.meter && start === window.start);
      return [line, { ...rest, window, fingerprint: seen?.fingerprint ?? null }];
    }),
  );
}

async function modelOf(tx: Tx, { source }: InvoiceLine): Promise<string | null> {
  if (source === null) return null;
  const plan = await planVersion(tx, source.planKey, source.planVersion);
  const price = plan?.prices.find(({ key }) => key === source.priceKey);
  if (price === undefined) return null;
  return price.type === "usage" ? price.model.type : price.type;
}
