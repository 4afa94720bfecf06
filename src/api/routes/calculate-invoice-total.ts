import { z } from "zod";
import { calculateInvoiceTotal, type InvoiceAnswer } from "../../domain/calculators/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { PriceAdjustment } from "../../domain/catalog/index.ts";
import { type GrantScope, usualCreditPolicy } from "../../domain/credits/index.ts";
import { type Currency, minorText as minorOf, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { currencyInput, currencyText, decimalText, instantInput, minorText } from "../wire.ts";
import { burnOrderInput, grantFields, grantOf, namesInput } from "./calculate-grants.ts";
import {
  calculator,
  decimalInput,
  listInput,
  minorInput,
  quantityInput,
  requireSize,
  signedMinorInput,
} from "./calculate-wire.ts";

const linesMax = 100;
const adjustmentsMax = 10;
const grantsMax = 100;
const taxLinesMax = 50;

const name = z.string().min(1).max(120);
const key = z.string().min(1).max(64);

const adjustmentBase = {
  name,
  lines: z
    .union([z.literal("all"), z.array(key).min(1).max(linesMax)])
    .default("all")
    .describe("Keys of lines."),
};

const adjustment = z
  .discriminatedUnion("type", [
    z.strictObject({ ...adjustmentBase, type: z.literal("percent_discount"), percent: quantityInput }),
    z.strictObject({ ...adjustmentBase, type: z.literal("amount_discount"), amount_minor: minorInput }),
    z.strictObject({ ...adjustmentBase, type: z.literal("maximum"), amount_minor: minorInput }),
    z.strictObject({ ...adjustmentBase, type: z.literal("minimum"), amount_minor: minorInput }),
    z.strictObject({
      ...adjustmentBase,
      type: z.literal("commitment"),
      amount_minor: minorInput,
      overage_factor: quantityInput
        .prefault("1")
        .describe("What each minor unit above the commitment costs."),
      true_up: z.boolean().default(true).describe("Whether what is missing to the commitment is charged."),
    }),
  ])
  .meta({ id: "InvoiceAdjustment" });

const question = z
  .strictObject({
    currency: currencyInput,
    as_of: instantInput.describe("When the invoice is issued: credit must be in force then."),
    lines: listInput(
      z.strictObject({
        key,
        description: name.optional().describe("The key when left out."),
        product: key.default("product"),
        kind: z.enum(["usage", "fee"]).default("usage").describe("Credit pays usage only."),
        exact_minor: decimalInput.describe("Minor units, before rounding."),
      }),
      linesMax,
    ),
    adjustments: listInput(adjustment, adjustmentsMax)
      .default([])
      .describe("Applied in this order: a discount before a cap is another thing than one behind it."),
    rounding: z
      .enum(["line", "net"])
      .default("line")
      .describe(
        "Each line, or only what all of them come to; then the lines are rounded so that they sum to it.",
      ),
    tax_lines: listInput(z.strictObject({ name, amount_minor: signedMinorInput }), taxLinesMax)
      .default([])
      .describe("As an outside system reckoned them: passed through untouched."),
    tax: z
      .enum(["after_credits", "before_credits"])
      .default("after_credits")
      .describe("Whether credit pays tax too."),
    grants: listInput(
      z.strictObject({ ...grantFields, products: namesInput, lines: namesInput }),
      grantsMax,
    ).default([]),
    burn_order: burnOrderInput,
    balance_minor: signedMinorInput
      .optional()
      .describe("The customer's balance, which pays last; below zero it is owed."),
    small_amounts: z
      .enum(["carried_forward", "charged"])
      .default("carried_forward")
      .describe("What becomes of a total that is too small for a card."),
    paid_minor: minorInput.prefault("0").describe("What was paid of the total."),
    refunded_minor: minorInput.prefault("0").describe("What was refunded of that."),
    refund: z
      .enum(["stays_paid", "reopens"])
      .default("stays_paid")
      .describe("Whether money that was given back is due again."),
  })
  .meta({ id: "InvoiceTotalQuestion" });

const answer = z
  .object({
    currency: currencyText,
    subtotal_minor: minorText.describe("The sum of the lines."),
    credits_applied_minor: minorText,
    tax_minor: minorText,
    balance_applied_minor: minorText.describe("Below zero: what is put on the balance."),
    total_minor: minorText.describe("To be paid."),
    due_minor: minorText.describe("What is left of that to be paid."),
    status: z.enum(["open", "paid"]),
    lines: z.array(
      z.object({
        key: z.string().nullable().describe("Of the line, or of the line that it adjusts."),
        kind: z.string(),
        description: z.string(),
        exact_minor: decimalText,
        amount_minor: minorText,
      }),
    ),
    tax_lines: z.array(z.object({ name: z.string(), amount_minor: minorText })),
    draws: z.array(
      z.object({
        line: z.int().describe("Its place in `lines`, tax lines after them."),
        grant: z.string(),
        amount_minor: decimalText,
      }),
    ),
  })
  .meta({ id: "InvoiceTotalAnswer" });

export function calculateInvoiceTotalRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What an invoice comes to",
    description:
      "Lines, then adjustments in their order, then credit for usage, then tax, then the customer's balance, as an issued invoice is added up.",
    refusals: ["invoice_line_invalid", "burn_amount_invalid", "amount_invalid"],
  });
  api.post("/v1/calculate/invoice-total", options, async ({ body }) => {
    requireSize("lines", body.lines.length, linesMax);
    requireSize("adjustments", body.adjustments.length, adjustmentsMax);
    requireSize("grants", body.grants.length, grantsMax);
    requireSize("tax_lines", body.tax_lines.length, taxLinesMax);
    const { currency, as_of: asOf, tax } = body;
    const taxLines = body.tax_lines.map((line) => ({
      name: line.name,
      amount: money(line.amount_minor, currency),
    }));
    const result = calculateInvoiceTotal({
      currency,
      asOf,
      lines: body.lines.map(({ description, exact_minor: exactMinor, ...line }) => ({
        ...line,
        description: description ?? line.key,
        exactMinor,
      })),
      adjustments: body.adjustments.map(adjustmentOf),
      rounding: body.rounding,
      taxLines,
      tax,
      grants: body.grants.map((grant) => quotedGrant(grant, currency, asOf)),
      creditPolicy: { ...usualCreditPolicy, burnOrder: body.burn_order },
      customerBalance: money(body.balance_minor ?? 0n, currency),
      carriesSmallAmounts: body.small_amounts === "carried_forward",
      payment: {
        paid: money(body.paid_minor, currency),
        refunded: money(body.refunded_minor, currency),
        refund: body.refund,
      },
    });
    return answerOf(result, body);
  });
}

/** A contract's adjustment for one period, on lines instead of prices. */
function adjustmentOf(written: z.output<typeof adjustment>, index: number): PriceAdjustment {
  const { name: title, lines: prices } = written;
  // Its key must be no line's.
  const base = { key: `adjustment ${index + 1}`, name: title, prices };
  switch (written.type) {
    case "percent_discount":
      return { ...base, type: written.type, percent: written.percent.text, periods: null };
    case "amount_discount":
      return { ...base, type: written.type, amountMinor: written.amount_minor.toString(), periods: null };
    case "maximum":
      return { ...base, type: written.type, amountMinor: written.amount_minor.toString(), prorated: false };
    case "minimum":
      return { ...base, ...limit(written.amount_minor), type: written.type };
    case "commitment": {
      const { overage_factor: factor, true_up: trueUp } = written;
      return {
        ...base,
        ...limit(written.amount_minor),
        type: written.type,
        overageFactor: factor.text,
        trueUp,
      };
    }
  }
}

const limit = (amountMinor: bigint) => ({
  amountMinor: amountMinor.toString(),
  product: "minimum",
  prorated: false,
});

type WrittenGrant = z.output<typeof question>["grants"][number];

function quotedGrant(written: WrittenGrant, currency: Currency, asOf: Instant) {
  const { products = [], lines = [] } = written;
  const scope: GrantScope = [
    ...products.map((product) => ({ type: "product", product }) as const),
    ...lines.map((line) => ({ type: "price", planKey: "plan", priceKey: line }) as const),
  ];
  return grantOf(written, scope, currency, asOf);
}

function answerOf(
  { lines, subtotal, tax, totals, due }: InvoiceAnswer,
  { currency, tax_lines: taxLines, lines: quoted }: z.output<typeof question>,
): z.input<typeof answer> {
  const keys = new Set(quoted.map((line) => line.key));
  return {
    currency,
    subtotal_minor: subtotal.amountMinor.toString(),
    credits_applied_minor: totals.creditsApplied.amountMinor.toString(),
    tax_minor: tax.amountMinor.toString(),
    balance_applied_minor: totals.balanceApplied.amountMinor.toString(),
    total_minor: totals.total.amountMinor.toString(),
    due_minor: due.amountMinor.toString(),
    status: due.amountMinor === 0n ? "paid" : "open",
    lines: lines.map(({ source, kind, description, exactMinor, amount }) => ({
      key: source !== null && keys.has(source.priceKey) ? source.priceKey : null,
      kind,
      description,
      exact_minor: exactMinor.text,
      amount_minor: amount.amountMinor.toString(),
    })),
    tax_lines: taxLines.map((line) => ({ name: line.name, amount_minor: line.amount_minor.toString() })),
    draws: totals.draws.map(({ line, grantId, amount }) => ({
      line,
      grant: grantId,
      amount_minor: minorOf(amount),
    })),
  };
}
