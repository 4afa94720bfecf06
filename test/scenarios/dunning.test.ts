import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory, isoTime, type Story } from "../support/system-story.ts";

/** Stories of policies, on the whole system. Solo costs 3000 in advance; May is invoiced on 1 May at 01:00, when the card fails. */
let system: System;

const retries = { retry_after_days: [3, 5, 7], access_grace_days: 7 };
const policies: Schemas["DunningPolicy"][] = [
  {
    key: "gentle",
    name: "Gentle",
    ...retries,
    final_action: "keep_active",
    quiet_hours: { from: "22:00", to: "06:30" },
    access: [
      { days: 2, level: "limited" },
      { days: 6, level: "ended" },
    ],
  },
  {
    key: "twice",
    name: "Two charges",
    ...retries,
    final_action: "uncollectible",
    card_limit: { attempts: 2, days: 30 },
  },
  {
    key: "confirmed",
    name: "Confirmed",
    ...retries,
    final_action: "pause",
    authentication: { wait_hours: 48, remind_after_hours: 24 },
  },
];

beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: { ...scenarioCatalog, dunning_policies: policies } });
});
afterAll(() => system.stop());
afterEach(() => expectInvariants(system.db));

/** A customer whose card fails for May with these outcomes, by a policy of the deployment. */
async function failing(id: string, policy: string, outcomes: readonly string[]) {
  const story = await beginStory(system, { id, plan: "solo" });
  const params = { path: { id } };
  const body = { policy, reason: "asked for by sales" };
  await system.client.post("/v1/customers/{id}/dunning-policy", { params, body });
  await story.until("04-02");
  await story.declines(story.paymentMethod, outcomes);
  await story.until("05-01 02:00");
  return { story, ...(await readsOf(story, id)) };
}

async function readsOf(story: Story, id: string) {
  const invoiceId = (await story.invoices())[1]?.id ?? "";
  const params = { path: { id: invoiceId } };
  return {
    params,
    dunning: () => system.client.get("/v1/invoices/{id}/dunning", { params }),
    access: async () =>
      (await system.client.get("/v1/subscriptions/{id}", { params: { path: { id } } })).access,
  };
}

const failures = (count: number) => Array.from({ length: count }, () => "generic_decline");

test("nobody is charged at night, access goes by steps of its own, and what is given up goes on", async () => {
  const { story, dunning, access } = await failing("ada", "gentle", failures(4));
  expect(await dunning()).toMatchObject({
    policy: "gentle",
    state: "retrying",
    next: { action: "attempt", at: "2026-05-04T06:30:00.000Z", why: "quiet_hours" },
  });
  expect(await access()).toMatchObject({
    level: "granted",
    next: { at: "2026-05-03T01:00:00.000Z", level: "limited" },
  });
  await story.until("05-03 01:00");
  expect(await access()).toMatchObject({
    level: "limited",
    next: { at: "2026-05-07T01:00:00.000Z", level: "ended" },
  });
  await story.until("05-07 01:00");
  expect((await access()).level).toBe("ended");
  await story.until("05-09");
  expect(await story.attempts(1)).toEqual([
    "first declined 2026-05-01T01:00",
    "schedule declined 2026-05-04T06:30",
    "schedule declined 2026-05-06T06:30",
    "schedule declined 2026-05-08T06:30",
  ]);
  expect(await story.status()).toBe("active");
  expect((await access()).level).toBe("granted");
  const { state, notices } = await dunning();
  expect(state).toBe("exhausted");
  expect(notices.map(({ at, notice }) => `${at.slice(5, 16)} ${notice}`)).toEqual([
    "05-01T01:00 payment_failed",
    "05-03T01:00 access_limited",
    "05-04T06:30 payment_failed",
    "05-06T06:30 payment_failed",
    "05-07T01:00 access_ended",
    "05-08T06:30 payment_failed",
    "05-08T06:30 payment_given_up",
  ]);
});

test("operators retry, postpone and stop; what they decide is kept, and uses up no attempt", async () => {
  const { story, dunning, params } = await failing("bo", "gentle", failures(9));
  await system.client.post("/v1/invoices/{id}/dunning/retry", {
    params,
    body: { reason: "the customer called" },
  });
  await expect.poll(() => story.attempts(1), { timeout: 10_000 }).toHaveLength(2);
  await story.until("05-02");
  const postponement = { until: isoTime("05-06"), reason: "waits for a transfer" };
  await system.client.post("/v1/invoices/{id}/dunning/postpone", { params, body: postponement });
  await story.until("05-07");
  expect(await story.attempts(1)).toEqual([
    "first declined 2026-05-01T01:00",
    "operator declined 2026-05-01T02:00",
    "schedule declined 2026-05-06T06:30",
  ]);
  await system.client.post("/v1/invoices/{id}/dunning/stop", {
    params,
    body: { reason: "paid by transfer" },
  });
  await expect.poll(() => story.status(), { timeout: 10_000 }).toBe("active");
  await story.until("05-20");
  expect(await story.attempts(1)).toHaveLength(3);
  const { state, commands } = await dunning();
  expect(state).toBe("stopped");
  expect(commands.map(({ command, reason }) => `${command}: ${reason}`)).toEqual([
    "retry: the customer called",
    "postpone: waits for a transfer",
    "stop: paid by transfer",
  ]);
  expect(commands.every(({ commanded_by }) => commanded_by.startsWith("api-key/"))).toBe(true);
  expect(await story.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, open"]);
  const again = system.client.post("/v1/invoices/{id}/dunning/retry", {
    params,
    body: { reason: "once more" },
  });
  await expect(again).rejects.toMatchObject({ code: "dunning_ended" });
});

test("a card at the network's limit rests; what is withheld is no attempt", async () => {
  const { story, dunning } = await failing("cy", "twice", failures(3));
  await story.until("05-07");
  expect(await story.attempts(1)).toEqual([
    "first declined 2026-05-01T01:00",
    "schedule declined 2026-05-04T01:00",
    "schedule withheld 2026-05-06T01:00",
  ]);
  expect((await dunning()).next).toEqual({
    action: "attempt",
    at: "2026-05-31T01:00:00.000Z",
    why: "card_limit",
  });
  await story.newCard("pm_card_mastercard");
  await expect.poll(() => story.status(), { timeout: 10_000 }).toBe("active");
  expect((await story.attempts(1)).at(-1)).toBe("new_payment_method paid 2026-05-07T00:00");
});

test("a payment that is not confirmed in time has failed, and the subscription is paused in the end", async () => {
  const { story, dunning, access } = await failing("di", "confirmed", ["authentication_required"]);
  expect(await dunning()).toMatchObject({
    state: "awaiting_action",
    next: { action: "count_as_failed", at: "2026-05-03T01:00:00.000Z", why: "confirmation_asked" },
  });
  await story.until("05-04");
  expect(await dunning()).toMatchObject({
    state: "awaiting_payment_method",
    next: { action: "give_up", at: "2026-05-08T01:00:00.000Z", why: "decline_needs_other_method" },
  });
  await story.until("05-09");
  expect(await story.status()).toBe("paused");
  expect((await access()).level).toBe("ended");
  const { notices } = await dunning();
  expect(notices.map(({ at, notice }) => `${at.slice(5, 16)} ${notice}`)).toEqual([
    "05-01T01:00 payment_action_required",
    "05-02T01:00 payment_action_reminder",
    "05-03T01:00 payment_failed",
    "05-03T01:00 payment_method_needed",
    "05-08T01:00 access_ended",
    "05-08T01:00 payment_given_up",
  ]);
});

test("an invoice that was given up and is paid after all lets its subscription go on", async () => {
  const { story, access } = await failing("eve", "twice", ["lost_card"]);
  await story.until("05-09");
  expect(await story.status()).toBe("past_due");
  expect((await access()).level).toBe("ended");
  const [, cycle] = await story.invoices();
  const { id: card } = await system.client.post("/v1/customers/{id}/payment-methods", {
    params: { path: { id: "eve" } },
    body: { token: "pm_card_visa" },
  });
  await system.surroundings.account.stripe.invoices.pay(cycle?.stripe_invoice ?? "", {
    payment_method: card,
  });
  await expect.poll(() => story.status(), { timeout: 10_000 }).toBe("active");
  expect((await access()).level).toBe("granted");
});
