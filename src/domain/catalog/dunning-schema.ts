import { z } from "zod";
import { accessLevels, finalActions } from "../lifecycle/dunning-terms.ts";
import { key, name } from "./fields.ts";

const days = z.int().min(0).max(365);
const hours = z.int().min(0).max(23);
const delay = { days: days.exactOptional(), hours: hours.exactOptional() };

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of the day such as "22:00"');
const declineCode = z.string().regex(/^[a-z0-9_]{1,64}$/, 'write a decline code such as "stolen_card"');
const notice = key.nullable().exactOptional();

const schedule = z.strictObject({
  countedFrom: z.enum(["first_failure", "previous_attempt"]).exactOptional(),
  attempts: z
    .array(z.strictObject({ ...delay, notice: key.exactOptional() }))
    .max(15, "a schedule has at most 15 attempts"),
});

const rule = z
  .union(
    [z.literal("await_payment_method"), schedule],
    'write "await_payment_method", or a schedule with its attempts',
  )
  .exactOptional();

/** How a schedule may be refined; none of it needs to be said. */
const refinements = {
  schedule: schedule.exactOptional(),
  declines: z
    .strictObject({
      soft: rule,
      insufficientFunds: rule,
      processingError: rule,
      hard: rule,
      authentication: rule,
    })
    .exactOptional(),
  giveUpAfterDays: z.int().min(1).max(365).exactOptional(),
  quietHours: z.strictObject({ from: timeOfDay, to: timeOfDay }).exactOptional(),
  timeOfDay: z
    .strictObject({ hour: z.int().min(0).max(23).exactOptional(), learnt: z.boolean().exactOptional() })
    .exactOptional(),
  cardLimit: z
    .strictObject({
      attempts: z.int().min(1).max(20, "networks allow at most 20 failed attempts with a card"),
      days: z.int().min(30, "networks count over 30 days: write 30 or more").max(365),
      neverAfter: z.array(declineCode).max(100, "name at most 100 codes").exactOptional(),
    })
    .exactOptional(),
  authentication: z
    .strictObject({
      waitHours: z.int().min(1).max(720),
      remindAfterHours: z.int().min(1).max(720).exactOptional(),
    })
    .exactOptional(),
  access: z
    .array(z.strictObject({ ...delay, level: z.enum(accessLevels) }))
    .max(10, "write at most 10 steps of access")
    .exactOptional(),
  notices: z
    .strictObject({
      attemptFailed: notice,
      paymentMethodNeeded: notice,
      actionRequired: notice,
      actionReminder: notice,
      accessLimited: notice,
      accessEnded: notice,
      givenUp: notice,
      recovered: notice,
    })
    .exactOptional(),
};

const terms = {
  retryAfterDays: z.array(z.int().min(1).max(365)).max(15).default([3, 5, 7]),
  finalAction: z.enum(finalActions).default("cancel"),
  accessGraceDays: z.int().min(0).max(365).default(7),
  ...refinements,
};

/** What a plan says of dunning. */
export const dunningTerms = z.strictObject({ ...terms, policy: key.exactOptional() });

/** A policy of the deployment. */
export const namedDunningPolicy = z.strictObject({ key, name, ...terms });
