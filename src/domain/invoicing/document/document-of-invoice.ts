import type { Instant, Period } from "../../calendar/index.ts";
import { type Currency, decimal, type Money, negateMoney, subtractMoney } from "../../money/index.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { documentGroups } from "./document-lines.ts";
import { dayText, moneyText, periodText, timeText } from "./figures.ts";
import type {
  DocumentGroup,
  DocumentParty,
  DocumentSum,
  InvoiceDocument,
  NamedText,
} from "./invoice-document.ts";
import type { SellerDetails } from "./seller-details.ts";

/** Tax as an outside system reckoned it: printed as it was given. */
export interface TaxLine {
  /** Such as `VAT 19 %, Germany`. */
  readonly name: string;
  readonly amount: Money;
}

export interface CustomerToPrint {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** On whose clock days are said. */
  readonly timeZone: string;
}

/** An invoice, issued or previewed, with all that is printed of it. */
export interface InvoiceToPrint {
  readonly seller: SellerDetails | null;
  readonly customer: CustomerToPrint;
  readonly planNames: ReadonlyMap<string, string>;
  /** Null of a preview. */
  readonly issued: IssuedInvoice | null;
  /** Of a preview the instant at which it was made. */
  readonly at: Instant;
  readonly period: Period | null;
  readonly currency: Currency;
  readonly lines: readonly InvoiceLine[];
  /** Their lines, one part after the other, are those of the invoice; said where there are several. */
  readonly parts: readonly PartToPrint[];
  readonly subtotal: Money;
  readonly creditsApplied: Money;
  /** Negative: it goes to the balance. */
  readonly balanceApplied: Money;
  readonly taxLines: readonly TaxLine[];
  readonly total: Money;
  /** Up to when the period's usage was complete when it was rated, where something was missing. */
  readonly usageCompleteUntil: Instant | null;
}

/** What is of one subscription. */
export interface PartToPrint {
  readonly subscriptionId: string | null;
  readonly period: Period | null;
  readonly lines: readonly InvoiceLine[];
}

export interface IssuedInvoice {
  readonly number: string;
  readonly status: "open" | "paid" | "void" | "uncollectible";
  readonly paidAt: Instant | null;
  readonly paid: Money;
  /** What credit notes took off before it was paid. */
  readonly credited: Money;
  readonly creditNotes: readonly {
    readonly number: string;
    readonly issuedAt: Instant;
    readonly amount: Money;
  }[];
  /** The number of the void invoice that it bills anew, and of the one that bills it anew. */
  readonly replaces: string | null;
  readonly replacedBy: string | null;
}

/** The invoice as it is printed. */
export function documentOfInvoice(printed: InvoiceToPrint): InvoiceDocument {
  const { seller, customer, issued } = printed;
  return {
    title: issued === null ? "Preview of an invoice" : "Invoice",
    number: issued?.number ?? null,
    state: stateOf(printed),
    seller: seller === null ? null : sellerParty(seller),
    customer: { name: customer.name, lines: [customer.email, `Customer ${customer.id}`] },
    particulars: particularsOf(printed),
    headline: {
      name: issued === null ? "To be paid, as of now" : "Amount due",
      text: moneyText(dueOf(printed)),
    },
    groups: groupsOf(printed),
    sums: sumsOf(printed),
    notes: notesOf(printed),
    footer: seller?.footer ?? null,
  };
}

/** Where several subscriptions are on it, a section for each. */
function groupsOf(printed: InvoiceToPrint): DocumentGroup[] {
  const { planNames, currency, period, parts, lines } = printed;
  const { timeZone } = printed.customer;
  const shown = { planNames, currency, timeZone };
  if (parts.length < 2) return documentGroups({ ...shown, lines, period });
  return parts.flatMap((part) =>
    documentGroups({ ...shown, ...part }).map((group, place) =>
      place === 0 ? { ...group, heading: headingOf(part, timeZone) } : group,
    ),
  );
}

const headingOf = ({ subscriptionId, period }: PartToPrint, timeZone: string): string =>
  [
    subscriptionId === null ? null : `Subscription ${subscriptionId}`,
    period === null ? null : periodText(period, timeZone),
  ]
    .filter((each) => each !== null)
    .join(" · ");

export function sellerParty({ name, addressLines, email, website, taxId }: SellerDetails): DocumentParty {
  const lines = [...addressLines, email, website, taxId].filter((line) => line !== null);
  return { name, lines };
}

function dueOf({ issued, total }: InvoiceToPrint): Money {
  if (issued === null) return total;
  if (issued.status === "open") return subtractMoney(subtractMoney(total, issued.credited), issued.paid);
  return subtractMoney(total, total);
}

function stateOf({ issued, customer: { timeZone }, at }: InvoiceToPrint): InvoiceDocument["state"] {
  if (issued === null) return { text: `As of ${timeText(at, timeZone)}`, tone: "plain" };
  switch (issued.status) {
    case "paid":
      return {
        text: issued.paidAt === null ? "Paid" : `Paid on ${dayText(issued.paidAt, timeZone)}`,
        tone: "good",
      };
    case "void":
      return { text: "Void: nothing is owed", tone: "bad" };
    case "uncollectible":
      return { text: "Written off", tone: "bad" };
    case "open":
      return { text: "Open", tone: "plain" };
  }
}

function particularsOf({
  issued,
  period,
  at,
  currency,
  customer: { timeZone },
}: InvoiceToPrint): NamedText[] {
  const said: (NamedText | null)[] = [
    issued === null ? null : { name: "Invoice number", text: issued.number },
    issued === null ? null : { name: "Date of issue", text: dayText(at, timeZone) },
    period === null ? null : { name: "Billing period", text: periodText(period, timeZone) },
    { name: "Currency", text: currency.toUpperCase() },
    issued?.replaces == null ? null : { name: "Replaces", text: issued.replaces },
    issued?.replacedBy == null ? null : { name: "Replaced by", text: issued.replacedBy },
  ];
  return said.filter((each) => each !== null);
}

function sumsOf(printed: InvoiceToPrint): DocumentSum[] {
  const { subtotal, creditsApplied, balanceApplied, taxLines, total, issued } = printed;
  const { credited, paid } = issued ?? {};
  const sums = [
    sum("Subtotal", subtotal),
    off("Paid with credits", creditsApplied),
    ...taxLines.map(({ name, amount }) => sum(name, amount)),
    balanceApplied.amountMinor < 0n
      ? sum("Added to your balance", negateMoney(balanceApplied))
      : off("Paid from your balance", balanceApplied),
    sum("Total", total, true),
    credited === undefined ? null : off("Credit notes", credited),
    paid === undefined ? null : off("Payments", paid),
    issued === null ? null : sum("Amount due", dueOf(printed), true),
  ];
  return sums.filter((each) => each !== null);
}

const sum = (name: string, amount: Money, isStrong = false): DocumentSum => ({
  name,
  amount: moneyText(amount),
  isStrong,
});

const off = (name: string, amount: Money): DocumentSum | null =>
  amount.amountMinor === 0n ? null : sum(name, negateMoney(amount));

function notesOf(printed: InvoiceToPrint): string[] {
  const { issued, usageCompleteUntil, lines, customer } = printed;
  const { timeZone } = customer;
  const notes: string[] = [];
  if (issued === null)
    notes.push("This is a preview: usage, changes and payments until the period is closed will change it.");
  if (usageCompleteUntil !== null) {
    notes.push(
      `Usage is complete until ${timeText(usageCompleteUntil, timeZone)}. What is reported later for this period is billed on a later invoice and labelled so.`,
    );
  }
  if (lines.some(({ kind }) => kind === "carried_forward")) {
    notes.push(
      "The amount is too small to be charged: it is carried to your next invoice, and nothing is due now.",
    );
  }
  for (const note of issued?.creditNotes ?? []) {
    notes.push(
      `Credit note ${note.number} of ${dayText(note.issuedAt, timeZone)}: ${moneyText(note.amount)}.`,
    );
  }
  notes.push(
    `Days and times are those of ${timeZone}.${hasFractions(lines) ? " Each price is reckoned exactly and rounded once." : ""}`,
  );
  return notes;
}

const hasFractions = (lines: readonly InvoiceLine[]): boolean =>
  lines.some(({ exactMinor, amount }) => !exactMinor.equals(decimal(amount.amountMinor)));
