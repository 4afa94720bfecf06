import { z } from "zod";
import { type BurnDownAnswer, calculateCreditBurnDown } from "../../domain/calculators/index.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import type { BurnedDownGrant, GrantOverTime, GrantScope, Rollover } from "../../domain/credits/index.ts";
import { usualCreditPolicy } from "../../domain/credits/index.ts";
import {
  type Currency,
  type LedgerAmount,
  ledgerAmount,
  minorText as minorOf,
} from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import {
  currencyInput,
  currencyText,
  decimalText,
  instantInput,
  instantText,
  isoOrNull,
  timeZoneInput,
} from "../wire.ts";
import {
  burnOrderInput,
  creditInput,
  earlierUsageInput,
  grantFields,
  grantOf,
  namesInput,
} from "./calculate-grants.ts";
import { intervalInput } from "./calculate-periods.ts";
import { calculator, listInput, requireSize } from "./calculate-wire.ts";

const grantsMax = 200;
const usageMax = 300;
const resetsMax = 300;

const priceRef = z.strictObject({ plan: z.string().min(1).max(64), price: z.string().min(1).max(64) });

const rolloverInput = z.strictObject({
  min_minor: creditInput.prefault("0").describe("At least this goes over, also when less is left."),
  max_minor: creditInput.describe("At most this goes over."),
  cap_minor: creditInput.nullable().default(null).describe("Of all that went over and is not used yet."),
  lifetime_months: z.int().min(1).max(1_200).nullable().default(null),
});

const recurrenceInput = z.strictObject({
  anchor: instantInput.optional().describe("Where it is counted from; when it takes effect, when left out."),
  interval: intervalInput,
  time_zone: timeZoneInput.default("UTC"),
  first: z.enum(["at_once", "at_instant"]).default("at_once"),
});

const question = z
  .strictObject({
    currency: currencyInput,
    grants: listInput(
      z.strictObject({
        ...grantFields,
        products: namesInput,
        prices: z.array(priceRef).min(1).max(100).optional(),
        features: namesInput,
        recurrence: recurrenceInput
          .optional()
          .describe("Given again and again; each time is credit of its own."),
        rollover: rolloverInput.optional().describe("What goes over to the next time, or over a reset."),
      }),
      grantsMax,
    ),
    usage: listInput(
      z.strictObject({
        at: instantInput,
        amount_minor: creditInput,
        product: z.string().min(1).max(64).default("usage"),
        price: priceRef.optional(),
        feature: z.string().min(1).max(64).optional().describe("That its price belongs to."),
      }),
      usageMax,
    ),
    resets: listInput(instantInput, resetsMax)
      .default([])
      .describe("When a usage period ends and the next begins."),
    at: instantInput.describe("How it stands then is what is asked for."),
    refund_minor: creditInput.prefault("0").describe("Of all that was drawn, so much is given back."),
    burn_order: burnOrderInput,
    earlier_usage: earlierUsageInput,
  })
  .meta({ id: "CreditBurnDownQuestion" });

const standing = {
  granted_minor: decimalText,
  raised_minor: decimalText.describe("What resets added."),
  drawn_minor: decimalText,
  rolled_over_minor: decimalText,
  lost_minor: decimalText.describe("What expired, or was cut off."),
  remaining_minor: decimalText,
};

const answer = z
  .object({
    currency: currencyText,
    balance_minor: decimalText,
    uncovered_minor: decimalText.describe("What nothing paid: overage."),
    grants: z.array(
      z.object({
        id: z.string(),
        grant: z.string().describe("As it was asked; a recurring one is several."),
        effective_at: instantText,
        expires_at: instantText.nullable(),
        is_rollover: z.boolean(),
        ...standing,
      }),
    ),
    draws: z.array(
      z.object({
        at: instantText,
        usage: z.int().describe("Its place in the question."),
        grant: z.string(),
        amount_minor: decimalText,
      }),
    ),
    uncovered: z.array(z.object({ usage: z.int(), amount_minor: decimalText })),
    restored: z
      .array(z.object({ grant: z.string(), amount_minor: decimalText }))
      .describe("Where the refund goes: the newest draw first."),
    refund_excess_minor: decimalText.describe("What was never drawn, so cannot go back."),
  })
  .meta({ id: "CreditBurnDownAnswer" });

export function calculateCreditBurnDownRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "How credit is spent over time",
    description:
      "In one instant: what ends then ends, resets apply, what begins then begins, usage is paid. The order of the grants does not matter.",
    refusals: ["burn_amount_invalid", "credit_rollover_invalid"],
  });
  api.post("/v1/calculate/credit-burn-down", options, async ({ body }) => {
    requireSize("grants", body.grants.length, grantsMax);
    requireSize("usage", body.usage.length, usageMax);
    requireSize("resets", body.resets.length, resetsMax);
    const { currency, resets, at } = body;
    const result = calculateCreditBurnDown({
      grants: body.grants.map((grant) => grantOverTime(grant, currency, earliestOf(body))),
      usage: body.usage.map(({ at: usedAt, amount_minor: amount, product, price, feature }) => ({
        at: usedAt,
        amount,
        product,
        price: price === undefined ? null : { planKey: price.plan, priceKey: price.price },
        ...(feature === undefined ? {} : { feature }),
      })),
      resets,
      at,
      refund: body.refund_minor,
      policy: { ...usualCreditPolicy, burnOrder: body.burn_order, earlierUsage: body.earlier_usage },
    });
    return answerOf(result, currency);
  });
}

/** Before anything happens: a grant that took effect in the instant of a reset would not be met by it. */
function earliestOf({ usage, resets, at }: z.output<typeof question>): Instant {
  const first = Math.min(at, ...usage.map((used) => used.at), ...resets);
  return instantOfEpochMs(first - 1);
}

type WrittenGrant = z.output<typeof question>["grants"][number];

function grantOverTime(written: WrittenGrant, currency: Currency, earliest: Instant): GrantOverTime {
  const { products = [], prices = [], features = [], recurrence, rollover } = written;
  const scope: GrantScope = [
    ...products.map((product) => ({ type: "product", product }) as const),
    ...prices.map(({ plan, price }) => ({ type: "price", planKey: plan, priceKey: price }) as const),
    ...features.map((feature) => ({ type: "feature", feature }) as const),
  ];
  const grant = grantOf(written, scope, currency, earliest);
  return {
    ...grant,
    ...(recurrence === undefined ? {} : { recurrence: recurrenceOf(recurrence, grant.effectiveAt) }),
    ...(rollover === undefined ? {} : { rollover: rolloverOf(rollover) }),
  };
}

function recurrenceOf(written: z.output<typeof recurrenceInput>, effectiveAt: Instant) {
  const { anchor = effectiveAt, interval, time_zone: timeZone, first } = written;
  return { anchor: { at: anchor, interval, timeZone }, first };
}

function rolloverOf(written: z.output<typeof rolloverInput>): Rollover {
  const { min_minor: min, max_minor: max, cap_minor: cap, lifetime_months: lifetimeMonths } = written;
  return { min, max, cap, lifetimeMonths };
}

function answerOf(result: BurnDownAnswer, currency: Currency): z.input<typeof answer> {
  const uncovered = result.uncovered.reduce((sum, { amount }) => sum + amount, 0n);
  return {
    currency,
    balance_minor: minorOf(result.balance),
    uncovered_minor: minorOf(ledgerAmount(uncovered)),
    grants: result.grants.map(grantAnswer),
    draws: result.draws.map(({ at, usage, grantId, amount }) => ({
      at: isoOf(at),
      usage,
      grant: grantId,
      amount_minor: minorOf(amount),
    })),
    uncovered: result.uncovered.map(({ usage, amount }) => ({ usage, amount_minor: minorOf(amount) })),
    restored: byGrant(result.restored),
    refund_excess_minor: minorOf(result.excess),
  };
}

function grantAnswer(grant: BurnedDownGrant) {
  const { id, grantId, effectiveAt, expiresAt, isRollover } = grant;
  return {
    id,
    grant: grantId,
    effective_at: isoOf(effectiveAt),
    expires_at: isoOrNull(expiresAt),
    is_rollover: isRollover,
    granted_minor: minorOf(grant.granted),
    raised_minor: minorOf(grant.raised),
    drawn_minor: minorOf(grant.drawn),
    rolled_over_minor: minorOf(grant.rolledOver),
    lost_minor: minorOf(grant.lost),
    remaining_minor: minorOf(grant.remaining),
  };
}

/** Several draws from one grant go back to it as one. */
function byGrant(restored: BurnDownAnswer["restored"]) {
  return [...Map.groupBy(restored, ({ grantId }) => grantId)].map(([grant, draws]) => ({
    grant,
    amount_minor: minorOf(sumOf(draws.map(({ amount }) => amount))),
  }));
}

const sumOf = (amounts: readonly LedgerAmount[]) =>
  ledgerAmount(amounts.reduce((sum, amount) => sum + amount, 0n));
