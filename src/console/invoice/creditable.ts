import type { CreditNote, InvoiceDetail } from "../reads/resources.ts";

/** What can still be credited of one line. */
export interface CreditableLine {
  readonly line: number;
  readonly description: string;
  readonly amountMinor: string;
  /** What no note has taken, issued or waiting. */
  readonly leftMinor: string;
}

type Invoice = Pick<
  InvoiceDetail,
  | "status"
  | "total_minor"
  | "balance_applied_minor"
  | "amount_paid_minor"
  | "credited_minor"
  | "lines"
  | "kind"
>;
type Note = Pick<CreditNote, "status" | "lines">;

/** Whether a note is possible at all: of what is owed or paid, and was not a purchase of credit. */
export const isCreditable = ({ status, kind }: Pick<Invoice, "status" | "kind">): boolean =>
  (status === "open" || status === "paid") && kind !== "credit_purchase";

/** Lines of which something is left; lines below zero have nothing to credit. */
export function creditableLines(invoice: Invoice, notes: readonly Note[]): CreditableLine[] {
  return invoice.lines
    .map(({ line, description, amount_minor }) => {
      const left = BigInt(amount_minor) - takenOf(line, notes);
      return { line, description, amountMinor: amount_minor, leftMinor: left.toString() };
    })
    .filter(({ leftMinor }) => BigInt(leftMinor) > 0n);
}

/** What a note would come to, and where its money would go. */
export interface CreditNotePreview {
  readonly totalMinor: string;
  /** What is due afterwards; null where nothing is due before. */
  readonly dueMinor: string | null;
  readonly toBalanceMinor: string;
  /** How much more than the customer's own money pays; credit grants paid that part. "0" as it should be. */
  readonly tooMuchMinor: string;
}

export function previewCreditNote(
  invoice: Invoice,
  notes: readonly Note[],
  amountsMinor: readonly string[],
): CreditNotePreview {
  const total = sum(amountsMinor.map(BigInt));
  const taken = sum(invoice.lines.map(({ line }) => takenOf(line, notes)));
  const left = BigInt(invoice.total_minor) + notNegative(BigInt(invoice.balance_applied_minor)) - taken;
  const due =
    invoice.status === "open"
      ? BigInt(invoice.total_minor) - BigInt(invoice.credited_minor) - BigInt(invoice.amount_paid_minor)
      : 0n;
  const lowers = total < due ? total : due;
  return {
    totalMinor: total.toString(),
    dueMinor: due === 0n ? null : (due - lowers).toString(),
    toBalanceMinor: (total - lowers).toString(),
    tooMuchMinor: notNegative(total - notNegative(left)).toString(),
  };
}

/** What waits has taken its part already. */
function takenOf(line: number, notes: readonly Note[]): bigint {
  const standing = notes.filter(({ status }) => status !== "rejected" && status !== "withdrawn");
  const parts = standing.flatMap(({ lines }) => lines).filter((part) => part.line === line);
  return sum(parts.map(({ amount_minor }) => BigInt(amount_minor)));
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const notNegative = (amount: bigint): bigint => (amount < 0n ? 0n : amount);
