import { z } from "zod";
import { calculateProration } from "../../domain/calculators/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { defaultProration, prorationUnits, settlements } from "../../domain/catalog/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { money, remainderRules } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import {
  currencyInput,
  currencyText,
  decimalText,
  instantInput,
  instantText,
  minorText,
  timeZoneInput,
} from "../wire.ts";
import { intervalInput } from "./calculate-periods.ts";
import { calculator, listInput, minorInput, quantityInput, requireSize } from "./calculate-wire.ts";

const changesMax = 100;

const policyInput = z
  .strictObject({
    unit: z
      .enum(prorationUnits)
      .default(defaultProration.unit)
      .describe(
        "`second`: elapsed time; `day`: civil days; `fixed_30` and `30_360`: months of thirty; `none`.",
      ),
    change_day_belongs_to: z.enum(["old", "new"]).default(defaultProration.changeDayBelongsTo),
    credit_basis: z
      .enum(["list", "paid"])
      .default(defaultProration.creditBasis)
      .describe("Whether a credit is a share of the price, or of what was paid."),
    settle: z.enum(settlements).default(defaultProration.settle),
    interval_change: z
      .enum(["reset_and_charge", "keep_and_prorate"])
      .default(defaultProration.intervalChange)
      .describe("Another interval begins a period at once, charged in full, or keeps the anchor."),
  })
  .prefault({});

const question = z
  .strictObject({
    currency: currencyInput,
    period_start: instantInput.describe("Of the period in which the first change comes."),
    interval: intervalInput,
    time_zone: timeZoneInput.default("UTC"),
    amount_minor: minorInput.describe("Charged for that period in advance."),
    paid_minor: minorInput.optional().describe("What was paid of it; all of it when left out."),
    changes: listInput(
      z.strictObject({
        at: instantInput,
        amount_minor: minorInput.describe("For a whole period from then on; 0 ends it."),
        interval: intervalInput.optional().describe("The same as before when left out."),
      }),
      changesMax,
    ),
    policy: policyInput,
    remainder: z
      .enum(remainderRules)
      .default("last")
      .describe("Which of the segments take the minor units that are left over."),
    included: quantityInput
      .optional()
      .describe("What a whole period includes free of charge: shared among the segments as the charge is."),
  })
  .meta({ id: "ProrationQuestion" });

const part = { start: instantText, end: instantText, amount_minor: minorText };

const answer = z
  .object({
    currency: currencyText,
    net_minor: minorText,
    changes: z.array(
      z.object({
        at: instantText,
        net_minor: minorText,
        settle: z.enum(settlements),
        period_start: instantText.describe("Of the period in which the change leaves the subscription."),
        period_end: instantText,
        lines: z.array(
          z.object({
            kind: z.string().describe("`proration_credit`, `proration_charge`, or `flat` for a new period."),
            ...part,
            whole_minor: minorText.nullable().describe("The amount that it is a part of."),
            units: z.string().nullable().describe("How much of the whole it is, in the policy's unit."),
            of_units: z.string().nullable(),
          }),
        ),
      }),
    ),
    segments: z
      .array(z.object({ ...part, included_quantity: decimalText }))
      .describe("The first charge, divided at the changes: they sum to it."),
  })
  .meta({ id: "ProrationAnswer" });

export function calculateProrationRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What changes inside a period hand back and charge",
    description: "As the change of a subscription is decided, for amounts that no plan has to have.",
    refusals: ["proration_change_invalid", "instant_invalid", "duration_invalid"],
  });
  api.post("/v1/calculate/proration", options, async ({ body }) => {
    const { currency, policy, changes, interval } = body;
    requireSize("changes", changes.length, changesMax);
    const amount = money(body.amount_minor, currency);
    let current = interval;
    const result = calculateProration({
      periodStart: body.period_start,
      interval,
      timeZone: body.time_zone,
      charged: { amount, paid: money(body.paid_minor ?? body.amount_minor, currency) },
      changes: changes.map((change) => {
        current = change.interval ?? current;
        return { at: change.at, amount: money(change.amount_minor, currency), interval: current };
      }),
      policy: {
        unit: policy.unit,
        changeDayBelongsTo: policy.change_day_belongs_to,
        creditBasis: policy.credit_basis,
        settle: policy.settle,
        intervalChange: policy.interval_change,
      },
      remainder: body.remainder,
      ...(body.included === undefined ? {} : { included: body.included }),
    });
    return {
      currency,
      net_minor: result.net.amountMinor.toString(),
      changes: result.changes.map(({ at, net, settle, period, lines }) => ({
        at: isoOf(at),
        net_minor: net.amountMinor.toString(),
        settle,
        period_start: isoOf(period.start),
        period_end: isoOf(period.end),
        lines: lines.map(lineAnswer),
      })),
      segments: result.segments.map(({ period, amount: of, included }) => ({
        start: isoOf(period.start),
        end: isoOf(period.end),
        amount_minor: of.amountMinor.toString(),
        included_quantity: included.text,
      })),
    };
  });
}

function lineAnswer({ kind, period, amount, detail }: InvoiceLine) {
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    kind,
    start: isoOf(period.start),
    end: isoOf(period.end),
    amount_minor: amount.amountMinor.toString(),
    whole_minor: text(detail.wholeMinor),
    units: text(detail.units),
    of_units: text(detail.ofUnits),
  };
}
