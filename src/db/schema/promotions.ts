import { bigint, integer, jsonb, primaryKey, text } from "drizzle-orm/pg-core";
import type { GrantScope } from "../../domain/credits/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** What is given away, to whom, and within which limits. */

const minorColumn = (name: string) => bigint(name, { mode: "bigint" });
const creation = {
  createdBy: text("created_by").notNull(),
  createdAt: instantColumn("created_at").notNull(),
};
const ending = { endedBy: text("ended_by").notNull(), endedAt: instantColumn("ended_at").notNull() };

export const campaign = billing.table("campaign", {
  id: text().primaryKey(),
  name: text().notNull(),
  currency: text().notNull(),
  budgetMinor: minorColumn("budget_minor").notNull(),
  ...creation,
});

export const campaignEnd = billing.table("campaign_end", {
  campaignId: text("campaign_id").primaryKey(),
  ...ending,
});

export const couponOccasions = ["code", "sign_up", "referral"] as const;
export const couponStackings = ["stackable", "exclusive"] as const;

export const coupon = billing.table("coupon", {
  id: text().primaryKey(),
  code: text(),
  givenOn: text("given_on").$type<(typeof couponOccasions)[number]>().notNull(),
  name: text().notNull(),
  campaignId: text("campaign_id"),
  currency: text().notNull(),
  amountMinor: minorColumn("amount_minor").notNull(),
  priority: integer().notNull(),
  expiresAfterDays: integer("expires_after_days"),
  scope: jsonb().$type<GrantScope>(),
  startsAt: instantColumn("starts_at").notNull(),
  endsAt: instantColumn("ends_at"),
  plans: text().array(),
  redemptionsMax: integer("redemptions_max"),
  perCustomerMax: integer("per_customer_max").notNull(),
  stacking: text().$type<(typeof couponStackings)[number]>().notNull(),
  ...creation,
});

export const couponEnd = billing.table("coupon_end", { couponId: text("coupon_id").primaryKey(), ...ending });

export const referral = billing.table("referral", {
  id: text().primaryKey(),
  referrerId: text("referrer_id").notNull(),
  referredId: text("referred_id").notNull(),
  writtenBy: text("written_by").notNull(),
  referredAt: instantColumn("referred_at").notNull(),
});

export const redemption = billing.table("redemption", {
  id: text().primaryKey(),
  couponId: text("coupon_id").notNull(),
  customerId: text("customer_id").notNull(),
  adjustmentId: text("adjustment_id").notNull(),
  referralId: text("referral_id"),
  redeemedBy: text("redeemed_by").notNull(),
  redeemedAt: instantColumn("redeemed_at").notNull(),
});

/** How often each coupon was redeemed, and what each campaign has given away. */
export const promotionStanding = billing.table(
  "promotion_standing",
  {
    kind: text().$type<"coupon" | "campaign">().notNull(),
    id: text().notNull(),
    redemptions: integer().notNull(),
    givenMinor: minorColumn("given_minor").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);

export const trialClaim = billing.table("trial_claim", {
  subscriptionId: text("subscription_id").primaryKey(),
  customerId: text("customer_id").notNull(),
  fingerprint: text(),
  claimedAt: instantColumn("claimed_at").notNull(),
});
