import { z } from "zod";
import { type Currency, isCurrency } from "../money/index.ts";
import { credits } from "./credits-schema.ts";
import { dunningTerms, namedDunningPolicy } from "./dunning-schema.ts";
import { entitlement, feature } from "./feature-schema.ts";
import { dimensionValues, isoTime, key, name, priceMinor } from "./fields.ts";
import { meter } from "./meter-schema.ts";
import { dimensionNames } from "./model-schema.ts";
import { anchor, interval, proration } from "./period-schema.ts";
import { price } from "./price-schema.ts";
import { adjustment, phase, thresholds, trial } from "./terms-schema.ts";

const currencyCode = z.custom<Currency>(isCurrency, 'write a lower-case ISO 4217 code such as "usd"');

const notices = z.strictObject({
  upcomingInvoiceDays: z.int().min(0).max(60).default(7),
  trialEndingDays: z.int().min(0).max(60).default(3),
});

const plan = z.strictObject({
  key,
  name,
  currency: currencyCode,
  interval,
  anchor: anchor.exactOptional(),
  graceSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(3600),
  dunning: dunningTerms.prefault({}),
  prices: z.array(price).max(200, "a plan has at most 200 prices"),
  adjustments: z.array(adjustment).max(50, "a plan has at most 50 adjustments").exactOptional(),
  phases: z
    .array(phase)
    .min(1, "write at least one phase")
    .max(50, "a plan has at most 50 phases")
    .exactOptional(),
  thresholds: thresholds.exactOptional(),
  proration: proration.exactOptional(),
  rounding: z.enum(["line", "net"]).exactOptional(),
  credits: credits.exactOptional(),
  trial: trial.exactOptional(),
  requires: z.array(key).min(1, "name at least one plan").max(50, "name at most 50 plans").exactOptional(),
  entitlements: z.array(entitlement).max(200, "a plan has at most 200 entitlements").exactOptional(),
  notices: notices.exactOptional(),
});

const costTable = z.strictObject({
  key,
  name,
  currency: currencyCode,
  dimensions: dimensionNames,
  versions: z
    .array(
      z.strictObject({
        effectiveAt: isoTime,
        rows: z
          .array(z.strictObject({ values: dimensionValues, costs: z.record(key, priceMinor) }))
          .min(1, "write at least one row")
          .max(2000, "write at most 2000 rows"),
      }),
    )
    .min(1, "write at least one version")
    .max(500, "write at most 500 versions"),
});

/** The shape of a catalog; what one part says about another is checked in `checks.ts`. */
export const catalogSchema = z.strictObject({
  meters: z.array(meter),
  plans: z.array(plan),
  costTables: z.array(costTable).max(50, "write at most 50 cost tables").exactOptional(),
  features: z.array(feature).max(500, "write at most 500 features").exactOptional(),
  dunningPolicies: z.array(namedDunningPolicy).max(50, "write at most 50 dunning policies").exactOptional(),
});

/** A catalog of the right shape, with its defaults, in which rate cards are still what their author wrote. */
export type WrittenCatalog = z.output<typeof catalogSchema>;
export type WrittenPlan = WrittenCatalog["plans"][number];
