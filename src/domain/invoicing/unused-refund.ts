import { decimal, type Money, money, negateMoney } from "../money/index.ts";
import {
  type CreditableInvoice,
  type CreditedLine,
  moneyLeftOn,
  type PlannedCreditNote,
  planCreditNote,
  unpaidOf,
} from "./credit-note.ts";
import { withTaxGivenBack } from "./credit-note-tax.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** An invoice on which time of a period was charged, with the lines that did. */
export interface ChargingInvoice {
  readonly invoiceId: string;
  readonly invoice: CreditableInvoice;
  readonly charges: readonly { readonly line: number; readonly source: InvoiceLine["source"] }[];
}

/** Where a period was charged. */
export interface ChargedWhere {
  /** The newest first; no void ones. */
  readonly invoices: readonly ChargingInvoice[];
  /** What changes have charged, less what they handed back, that is not invoiced yet. */
  readonly waiting: Money;
}

/** A credit note that gives unused time back. */
export interface UnusedTimeNote {
  readonly invoiceId: string;
  /** With the tax that goes back with them. */
  readonly lines: readonly CreditedLine[];
  readonly planned: PlannedCreditNote;
}

export interface UnusedRefund {
  readonly notes: readonly UnusedTimeNote[];
  /** What no note can give back: it lowers the next invoice, or becomes the customer's balance. */
  readonly lines: readonly InvoiceLine[];
  /** What the notes gave back, line by line, with what was written off: no invoice has it. */
  readonly returned: readonly InvoiceLine[];
}

/**
 * Gives the unused time of an ending back to where it came from. What is not invoiced yet is lowered first; then each credit goes
 * to the newest line that charged its price, and what that does not bear (a change had paid it with what it handed back) to the
 * other lines for time, the newest first. On a paid invoice it goes back to the payments; on one that is open it lowers what is due;
 * of one that was written off nothing is given back that nobody had paid. Whatever is left is not lost: it stays a credit line.
 * @param credits the lines of {@link endingCredits}: negative, without tax
 */
export function refundUnused(
  credits: readonly InvoiceLine[],
  { invoices, waiting }: ChargedWhere,
): UnusedRefund {
  const open = credits.map((line) => ({ line, left: -line.amount.amountMinor, returned: 0n }));
  let unbilled = waiting.amountMinor > 0n ? waiting.amountMinor : 0n;
  const rooms = invoices.map((charging) => new RoomOn(charging));
  for (const credit of open) {
    // Nobody has paid it: as a credit line it lowers what is still to be invoiced.
    const kept = smaller(unbilled, credit.left);
    unbilled -= kept;
    credit.left -= kept;
  }
  for (const isOwn of [true, false]) {
    for (const credit of open) {
      for (const room of rooms) {
        const taken = room.take(credit.left, (source) => !isOwn || isSamePrice(source, credit.line.source));
        credit.left -= taken;
        credit.returned += taken;
      }
    }
  }
  return {
    notes: rooms.flatMap((room) => room.note()),
    lines: open.flatMap(({ line, returned }) => partOf(line, -line.amount.amountMinor - returned)),
    returned: open.flatMap(({ line, returned }) => partOf(line, returned)),
  };
}

/** What an invoice that charged time can give back, and what it is asked to. */
class RoomOn {
  readonly #charging: ChargingInvoice;
  readonly #asked = new Map<number, bigint>();
  #writtenOff = 0n;

  constructor(charging: ChargingInvoice) {
    this.#charging = charging;
  }

  /** Takes as much of an amount as the lines bear, and answers with that. */
  take(wanted: bigint, isWanted: (source: InvoiceLine["source"]) => boolean): bigint {
    const { invoice, charges } = this.#charging;
    let left = wanted;
    const wantedCharges = charges.filter(({ source }) => isWanted(source));
    if (invoice.status === "uncollectible" && wantedCharges.length > 0) {
      const lost = smaller(left, unpaidOf(invoice).amountMinor - this.#writtenOff);
      this.#writtenOff += lost;
      return lost;
    }
    for (const { line } of wantedCharges) {
      const part = this.#bearable(line, left);
      if (part > 0n) this.#asked.set(line, (this.#asked.get(line) ?? 0n) + part);
      left -= part;
    }
    return wanted - left;
  }

  note(): UnusedTimeNote[] {
    const { invoice, invoiceId } = this.#charging;
    if (this.#asked.size === 0) return [];
    const lines = this.#lines(this.#asked);
    const planned = planCreditNote(invoice, lines, { destination: "refund", orBalance: true });
    return [{ invoiceId, lines, planned }];
  }

  /** The most of an amount that a line bears, so that all of the note, with its tax, is money that was charged. */
  #bearable(line: number, wanted: bigint): bigint {
    const { invoice } = this.#charging;
    const charged = invoice.lines.find((each) => each.line === line);
    if (charged === undefined || invoice.isBeingVoided === true) return 0n;
    const before = this.#asked.get(line) ?? 0n;
    const most = moneyLeftOn(invoice).amountMinor;
    const isBearable = (part: bigint) =>
      totalOf(this.#lines(new Map([...this.#asked, [line, before + part]]))) <= most;
    let least = 0n;
    let beyond = smaller(wanted, charged.amount.amountMinor - charged.credited.amountMinor - before) + 1n;
    while (beyond - least > 1n) {
      const middle = (least + beyond) / 2n;
      if (isBearable(middle)) least = middle;
      else beyond = middle;
    }
    return least;
  }

  #lines(asked: ReadonlyMap<number, bigint>): CreditedLine[] {
    const { invoice } = this.#charging;
    const named = [...asked]
      .filter(([, amount]) => amount > 0n)
      .map(([line, amount]) => ({ line, amount: money(amount, invoice.currency) }));
    return withTaxGivenBack(invoice.lines, named);
  }
}

function partOf(line: InvoiceLine, part: bigint): InvoiceLine[] {
  const whole = -line.amount.amountMinor;
  if (part <= 0n) return [];
  if (part === whole) return [line];
  const amount = negateMoney(money(part, line.amount.currency));
  const detail = { ...line.detail, unusedMinor: whole.toString() };
  return [{ ...line, exactMinor: decimal(amount.amountMinor), amount, detail }];
}

const isSamePrice = (one: InvoiceLine["source"], other: InvoiceLine["source"]): boolean =>
  one?.planKey === other?.planKey &&
  one?.planVersion === other?.planVersion &&
  one?.priceKey === other?.priceKey;

const totalOf = (lines: readonly CreditedLine[]): bigint =>
  lines.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);

const smaller = (one: bigint, other: bigint): bigint => {
  const least = one < other ? one : other;
  return least > 0n ? least : 0n;
};
