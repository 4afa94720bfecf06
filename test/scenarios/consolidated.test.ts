import { afterAll, beforeAll, expect, test } from "vitest";
import { ThresholdPasses } from "../../src/activities/bill-thresholds.ts";
import { LateUsageWatch } from "../../src/activities/notice-late-usage.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { TemporalGateway } from "../../src/temporal/gateway.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type System, startSystem } from "../support/system.ts";
import { baseFee, type Catalog, plan } from "../support/system-catalog.ts";
import { beginStory, isoTime, type Story } from "../support/system-story.ts";

/**
 * One customer with subscriptions of many kinds, which are invoiced together: their periods end with April, by the calendar or a month
 * after they began. Each is on a meter of its own, at a cent.
 */
let system: System;
beforeAll(async () => {
  system = await startSystem({ logLevel: "error" });
  await system.client.put("/v1/catalog", { body: catalog });
});
afterAll(async () => {
  expect(await verifyInvoices(system.db)).toMatchObject({ findings: [], unknown: [] });
  await expectInvariants(system.db);
  await system.stop();
});

const kinds = ["calls", "bytes", "jobs", "gone"];
const counted = (key: string) => ({
  ...{ type: "usage" as const, key, name: key, product: key, meter: key, where: {}, included: "0" },
  model: { type: "per_unit" as const, unit_price_minor: "1" },
});
const calendar = { anchor: { type: "calendar" } } as const;
const catalog: Catalog = {
  meters: kinds.map((key) => ({
    ...{ key, event_type: key, aggregation: "sum" as const, property: "count", dimensions: [] },
  })),
  plans: [
    plan("api", [baseFee("2000"), counted("calls")], calendar),
    plan("storage", [counted("bytes")], { grace_seconds: 7200 }),
    plan("jobs", [counted("jobs")], { ...calendar, thresholds: { amounts_minor: ["500"] } }),
    plan("support", [baseFee("900")]),
    plan("tried", [baseFee("1200")], {
      trial: {
        length: { unit: "month", count: 1 },
        end_action: "convert",
        usage: "free",
        anchor: "trial_end",
      },
    }),
    plan("gone", [baseFee("3000"), counted("gone")], calendar),
  ],
};

const path = (id: string) => ({ path: { id } });
const deps = () => ({
  db: system.db,
  gateway: new TemporalGateway(system.surroundings.temporalClient, system.surroundings.temporal.taskQueue),
});
const now = () => instantOfEpochMs(Date.now());

async function use(type: string, time: string, count: number) {
  const event = { id: `${type} ${time}`, source: "scenario", customer: "otto", type };
  await system.client.post("/v1/events", {
    body: { events: [{ ...event, time: isoTime(time), data: { count } }] },
  });
}

const beat = (until: string) =>
  system.client.post("/v1/usage/heartbeats", {
    body: { source: "scenario", customers: ["otto"], complete_until: isoTime(until) },
  });

/** The draft of each subscription whose period waits to be closed. */
async function drafts(): Promise<Schemas["DraftInvoiceDetail"][]> {
  const { data } = await system.client.get("/v1/draft-invoices", { params: { query: { customer: "otto" } } });
  return await Promise.all(
    data.map(({ id }) => system.client.get("/v1/draft-invoices/{id}", { params: path(id) })),
  );
}

/** 10 % on the sum of all that may be taxed, as a service outside would answer for the quote. */
async function giveTax(): Promise<void> {
  const [draft] = await drafts();
  if (draft?.tax.quote == null || draft.tax.given !== null) return;
  const taxable = draft.lines.reduce((sum, { taxable_minor }) => sum + BigInt(taxable_minor ?? "0"), 0n);
  const amount = (taxable / 10n).toString();
  const line = {
    ...{ description: "Sales tax 10 %, New York", jurisdiction: "us-ny", rate: "0.1" },
    ...{ taxable_minor: taxable.toString(), amount_minor: amount },
  };
  const body = { quote: draft.tax.quote, currency: "usd", tax_minor: amount, lines: [line] };
  await system.client
    .put("/v1/draft-invoices/{id}/tax-lines", { params: path(draft.id), body })
    .catch((error: { code: string }) => expect(error.code).toBe("tax_quote_outdated"));
}

const ofKind = async (story: Story, kind: string) =>
  (await story.invoices()).filter((invoice) => invoice.kind === kind);

test("what waits for usage, for grace and for tax, a trial, a pause, a threshold, an end, and a change that races: one invoice", async () => {
  const { client } = system;
  const otto = await beginStory(system, { id: "otto", plan: "api" });
  for (const key of ["storage", "jobs", "support", "tried", "gone"]) {
    await client.post("/v1/subscriptions", {
      body: { id: `otto-${key}`, customer: "otto", items: [{ plan: key, seats: 1 }] },
    });
  }
  await client.put("/v1/customers/{id}/invoicing", {
    params: path("otto"),
    body: { invoicing: "consolidated" },
  });
  await otto.until("04-16");
  await use("calls", "04-10", 1_000);
  await use("bytes", "04-11", 300);
  await use("jobs", "04-12", 600);
  await use("gone", "04-13", 50);
  await client.post("/v1/subscriptions/{id}/pause", { params: path("otto-support"), body: {} });
  await client.post("/v1/subscriptions/{id}/cancel", {
    params: path("otto-gone"),
    body: { when: "now", unused: "none" },
  });
  const threshold = await new ThresholdPasses(deps()).next(now());
  expect(threshold).toMatchObject({ issued: 1, failure: undefined });
  await otto.until("04-29");
  // By itself: its period ended before those of the others.
  expect(
    (await ofKind(otto, "cycle")).map(({ subscription, total_minor }) => [subscription, total_minor]),
  ).toEqual([["otto-gone", "50"]]);
  await client.put("/v1/customers/{id}/tax", { params: path("otto"), body: { handling: "external" } });
  await use("jobs", "04-28", 80);
  await beat("04-29");

  await otto.until("05-01 03:00");
  const waiting = await drafts();
  expect(waiting.map(({ subscription, waits_for }) => [subscription, waits_for])).toEqual([
    ["otto", "usage"],
    ["otto-jobs", "usage"],
    ["otto-storage", "usage"],
    ["otto-support", "usage"],
    ["otto-tried", "usage"],
  ]);
  expect(new Set(waiting.map(({ tax }) => tax.quote)).size).toBe(1);
  await use("bytes", "04-30 23:00", 40);
  await beat("05-01 02:00");
  await otto.until("05-01 04:00");
  expect((await drafts()).map(({ waits_for }) => waits_for)).toEqual(Array(5).fill("tax"));
  expect(await ofKind(otto, "cycle")).toHaveLength(1);

  // Wholly before the close, then its tax is another one, or wholly after it.
  const api = { params: path("otto"), body: { plan: "support" } } as const;
  await Promise.all([giveTax(), client.post("/v1/subscriptions/{id}/change-plan", api)]);
  await otto.until("05-01 04:01");
  for (let tries = 0; tries < 3 && (await drafts()).length > 0; tries += 1) {
    await giveTax();
    await otto.until(`05-01 04:0${tries + 2}`);
  }
  expect(await drafts()).toEqual([]);
  const together = (await ofKind(otto, "cycle")).at(-1);
  // What was paused has nothing to say.
  expect(together?.parts.map(({ subscription }) => subscription)).toEqual([
    "otto",
    "otto-jobs",
    "otto-storage",
    "otto-tried",
  ]);
  expect(together).toMatchObject({
    subscription: null,
    status: "paid",
    payment_attempts: [{ outcome: "paid" }],
  });
  const lines = (together?.lines ?? []).map(({ part, kind, amount_minor }) => ({
    kind,
    said: `${part} ${kind} ${amount_minor}`,
  }));
  expect(
    lines.flatMap(({ kind, said }) => (kind === "tax" || kind.startsWith("proration") ? [] : [said])),
  ).toEqual([
    "1 usage 1000",
    "1 flat 2000",
    // 680 less the 600 that the threshold billed.
    "2 usage 80",
    "3 usage 340",
    "4 flat 1200",
  ]);
  expect(BigInt(together?.tax_minor ?? "")).toBe(BigInt(together?.subtotal_minor ?? "") / 10n);

  // Of the one that has ended: on an invoice of its own, with its own tax.
  await use("gone", "04-14", 70);
  expect(await new LateUsageWatch(deps()).look(now())).toEqual({ noticed: 1, failure: undefined });
  await otto.until("05-01 06:00");
  expect((await drafts()).map(({ subscription, waits_for }) => [subscription, waits_for])).toEqual([
    ["otto-gone", "tax"],
  ]);
  await giveTax();
  await otto.until("05-01 07:00");
  const [late] = await ofKind(otto, "late_usage");
  expect(late).toMatchObject({
    subscription: "otto-gone",
    subtotal_minor: "70",
    tax_minor: "7",
    status: "paid",
  });
}, 120_000);
