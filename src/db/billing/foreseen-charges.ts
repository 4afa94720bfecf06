import { instant, type Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { ChargingInvoice, InvoiceLine, InvoiceTotals } from "../../domain/invoicing/index.ts";
import { money, sumMoney } from "../../domain/money/index.ts";

/** An invoice that will have been issued, with a subscription's lines among all of it. */
export interface ForeseenInvoice {
  readonly lines: readonly InvoiceLine[];
  /** Places of the subscription's own lines. */
  readonly own: { readonly from: number; readonly to: number };
  readonly totals: Pick<InvoiceTotals, "total" | "balanceApplied">;
}

/** A change's own invoice, when nothing but money pays for it. */
export function paidWithMoney(lines: readonly InvoiceLine[]): ForeseenInvoice {
  const [first] = lines;
  invariant(first, "an invoice has a line");
  const { currency } = first.amount;
  const sum = sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
  const nothing = money(0n, currency);
  const totals = { total: sum.amountMinor < 0n ? nothing : sum, balanceApplied: nothing };
  return { lines, own: { from: 0, to: lines.length }, totals };
}

/**
 * Those that will have charged time in a period, the newest first, as a credit note will meet them: it is expected that they
 * will have been paid with a card.
 */
export function foreseenCharging(issued: readonly ForeseenInvoice[], period: Period): ChargingInvoice[] {
  return issued
    .map((invoice, place) => chargingOf(invoice, `foreseen_${place + 1}`, period))
    .filter(({ charges }) => charges.length > 0)
    .toReversed();
}

function chargingOf(
  { lines, own, totals: { total, balanceApplied } }: ForeseenInvoice,
  invoiceId: string,
  period: Period,
): ChargingInvoice {
  const nothing = money(0n, total.currency);
  const charges = lines.flatMap((line, place) =>
    place >= own.from && place < own.to && chargesTimeOf(line, period)
      ? [{ line: place + 1, source: line.source }]
      : [],
  );
  const invoice = {
    ...{ status: "paid" as const, currency: total.currency, total, paid: total, balanceApplied },
    lowered: nothing,
    payments: [{ paymentId: invoiceId, left: total, isChargedBack: false }],
    lines: lines.map(({ kind, amount }, place) => ({ line: place + 1, kind, amount, credited: nothing })),
  };
  return { invoiceId, invoice, charges };
}

/** A line of a change is for the period that it fell into, which its detail names. */
function chargesTimeOf({ kind, earning, amount, detail, period: of }: InvoiceLine, { start, end }: Period) {
  const { periodStart } = detail;
  const begins = typeof periodStart === "string" ? instant(periodStart) : of.start;
  const isCharge = kind === "flat" || kind === "seats" || kind === "proration_charge";
  return isCharge && earning === "deferred" && amount.amountMinor > 0n && start <= begins && begins < end;
}
