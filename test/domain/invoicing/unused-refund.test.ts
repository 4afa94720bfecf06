import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  type ChargedWhere,
  type ChargingInvoice,
  type CreditableLine,
  type InvoiceLine,
  refundUnused,
} from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, money } from "../../../src/domain/money/index.ts";

const usd = (amount: number) => money(BigInt(amount), "usd");
const priceOf = (priceKey: string) => ({ planKey: "solo", planVersion: 1, priceKey });
const rest = { start: instant("2026-04-16T00:00:00Z"), end: instant("2026-05-01T00:00:00Z") };

const unused = (priceKey: string, amount: number): InvoiceLine => ({
  kind: "proration_credit",
  earning: "deferred",
  description: `Unused time on ${priceKey}`,
  product: "subscription",
  source: priceOf(priceKey),
  period: rest,
  quantity: null,
  exactMinor: decimal(BigInt(-amount)),
  amount: usd(-amount),
  detail: {},
});

interface Charged {
  readonly id: string;
  /** Price, what was charged for it, and what notes took of it. */
  readonly lines: readonly (readonly [price: string, amount: number, credited?: number])[];
  readonly status?: ChargingInvoice["invoice"]["status"];
  readonly fromBalance?: number;
  /** What is left of its payment; all of the total when left out. */
  readonly left?: number;
  readonly isChargedBack?: boolean;
  /** Of all lines, in percent. */
  readonly taxRate?: number;
}

function charging({ id, lines, status = "paid", fromBalance = 0, ...said }: Charged): ChargingInvoice {
  const priced = lines.map(
    ([price, amount, credited = 0], place): CreditableLine => ({
      line: place + 1,
      kind: amount < 0 ? "proration_credit" : price === "calls" ? "usage" : "flat",
      amount: usd(amount),
      credited: usd(credited),
    }),
  );
  const sum = lines.reduce((total, [, amount]) => total + amount, 0);
  const tax = Math.round((sum * (said.taxRate ?? 0)) / 100);
  const taxLine: CreditableLine = {
    ...{ line: lines.length + 1, kind: "tax", amount: usd(tax), credited: usd(0) },
    tax: { jurisdiction: "de", on: null, taxable: null },
  };
  const total = sum + tax - fromBalance;
  const isPaid = status === "paid";
  return {
    invoiceId: id,
    invoice: {
      ...{ status, currency: currency("usd"), total: usd(total), paid: usd(isPaid ? total : 0) },
      ...{ balanceApplied: usd(fromBalance), lowered: usd(0) },
      payments: isPaid
        ? [
            {
              paymentId: `pi_${id}`,
              left: usd(said.left ?? total),
              isChargedBack: said.isChargedBack ?? false,
            },
          ]
        : [],
      lines: tax === 0 ? priced : [...priced, taxLine],
    },
    charges: lines.flatMap(([price, amount], place) =>
      amount > 0 && price !== "calls" ? [{ line: place + 1, source: priceOf(price) }] : [],
    ),
  };
}

/** `a: 1 500, refund 500` for each note, then what stays a credit line. */
function shown(credits: readonly InvoiceLine[], where: ChargedWhere): string[] {
  const { notes, lines } = refundUnused(credits, where);
  const places = [
    ["due", "lowersDue"],
    ["balance", "toBalance"],
    ["refund", "toRefund"],
  ] as const;
  return [
    ...notes.map(({ invoiceId, lines: credited, planned }) => {
      const named = credited.map(({ line, amount }) => `${line} ${amount.amountMinor}`).join(" + ");
      const to = places.filter(([, key]) => planned[key].amountMinor > 0n);
      return `${invoiceId}: ${named}, ${to.map(([name, key]) => `${name} ${planned[key].amountMinor}`).join(", ")}`;
    }),
    ...lines.map(({ source, amount }) => `${source?.priceKey} ${amount.amountMinor}`),
  ];
}

const base = [unused("base", 1500)];

describe("15.00 unused of 30.00 a month", () => {
  test.each<{ why: string; charged: Charged[]; waiting?: number; to: string[] }>([
    {
      why: "paid with a card",
      charged: [{ id: "a", lines: [["base", 3000]] }],
      to: ["a: 1 1500, refund 1500"],
    },
    {
      why: "beside usage that credit grants paid: the total is 30.00, and time is money",
      charged: [
        {
          id: "a",
          lines: [
            ["calls", 0],
            ["base", 3000],
          ],
        },
      ],
      to: ["a: 2 1500, refund 1500"],
    },
    {
      why: "20.00 paid from the balance: 10.00 are left of the payment, 5.00 go back to the balance",
      charged: [{ id: "a", lines: [["base", 3000]], fromBalance: 2000 }],
      to: ["a: 1 1500, balance 500, refund 1000"],
    },
    {
      why: "paid with nothing but the balance",
      charged: [{ id: "a", lines: [["base", 3000]], fromBalance: 3000 }],
      to: ["a: 1 1500, balance 1500"],
    },
    {
      why: "25.00 went back already by notes: 5.00 are left of the line",
      charged: [{ id: "a", lines: [["base", 3000, 2500]], left: 500 }],
      to: ["a: 1 500, refund 500", "base -1000"],
    },
    {
      why: "the bank has taken the payment back",
      charged: [{ id: "a", lines: [["base", 3000]], left: 0, isChargedBack: true }],
      to: ["a: 1 1500, balance 1500"],
    },
    {
      why: "open: less is due",
      charged: [{ id: "a", lines: [["base", 3000]], status: "open" }],
      to: ["a: 1 1500, due 1500"],
    },
    {
      why: "written off: nobody has paid it, so nothing goes back",
      charged: [{ id: "a", lines: [["base", 3000]], status: "uncollectible" }],
      to: [],
    },
    {
      why: "with tax of 19 %: its share goes back, 285 of 570",
      charged: [{ id: "a", lines: [["base", 3000]], taxRate: 19 }],
      to: ["a: 1 1500 + 2 285, refund 1785"],
    },
    {
      why: "an upgrade from 20.00 was paid with what it handed back: 5.00 by its own invoice, the rest by the first",
      charged: [
        {
          id: "b",
          lines: [
            ["old", -1500],
            ["base", 2000],
          ],
        },
        { id: "a", lines: [["old", 2000]] },
      ],
      to: ["b: 2 500, refund 500", "a: 1 1000, refund 1000"],
    },
    {
      why: "the same with tax of 10 %: 5.00 with 0.50",
      charged: [
        {
          id: "b",
          lines: [
            ["old", -1500],
            ["base", 2000],
          ],
          taxRate: 10,
        },
        { id: "a", lines: [["old", 2000]], taxRate: 10 },
      ],
      to: ["b: 2 500 + 3 50, refund 550", "a: 1 1000 + 2 100, refund 1100"],
    },
    {
      why: "9.00 of it wait for the period's invoice: they are lowered there",
      charged: [{ id: "a", lines: [["old", 3000]] }],
      waiting: 900,
      to: ["a: 1 600, refund 600", "base -900"],
    },
    { why: "nothing was charged anywhere", charged: [], to: ["base -1500"] },
  ])("$why", ({ charged, waiting = 0, to }) => {
    expect(shown(base, { invoices: charged.map(charging), waiting: usd(waiting) })).toEqual(to);
  });
});

test("each price goes back to the line that charged it, and what is left of one to others", () => {
  const invoices = [
    charging({
      id: "a",
      lines: [
        ["base", 1000, 900],
        ["seats", 2000],
      ],
    }),
  ];
  const credits = [unused("base", 500), unused("seats", 1000)];
  expect(shown(credits, { invoices, waiting: usd(0) })).toEqual(["a: 1 100 + 2 1400, refund 1500"]);
});

const anyCharged = fc.record({
  lines: fc.array(fc.tuple(fc.constantFrom("base", "seats"), fc.integer({ min: 1, max: 5000 })), {
    minLength: 1,
    maxLength: 4,
  }),
  handedBack: fc.integer({ min: 0, max: 3000 }),
  status: fc.constantFrom("paid" as const, "open" as const),
  taxRate: fc.integer({ min: 0, max: 25 }),
});

test("notes and credit lines sum to what is unused, and no note is more than its invoice", () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(anyCharged, { maxLength: 4 }), amounts, (charged, wanted) => {
      const invoices = charged.map(({ lines, handedBack, ...said }, place) => {
        const sum = lines.reduce((total, [, amount]) => total + amount, 0);
        const back = Math.min(handedBack, sum);
        return charging({ id: `${place}`, lines: [...lines, ["old", -back]], ...said });
      });
      const credits = wanted.map((amount, place) => unused(place % 2 === 0 ? "base" : "seats", amount));
      const { notes, lines, returned } = refundUnused(credits, { invoices, waiting: usd(0) });
      const sum = (of: readonly InvoiceLine[]) =>
        of.reduce((total, each) => total - each.amount.amountMinor, 0n);
      expect(sum(lines) + sum(returned)).toBe(sum(credits));
      let onNotes = 0n;
      for (const { invoiceId, lines: credited, planned } of notes) {
        const of = invoices.find((each) => each.invoiceId === invoiceId)?.invoice;
        expect(planned.total.amountMinor).toBeLessThanOrEqual(of?.total.amountMinor ?? 0n);
        for (const { line, amount } of credited) {
          if (of?.lines.find((each) => each.line === line)?.kind !== "tax") onNotes += amount.amountMinor;
        }
      }
      expect(onNotes).toBe(sum(returned));
    }),
  );
});
