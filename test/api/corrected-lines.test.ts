import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { decimal, sumDecimals, zero } from "../../src/domain/money/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** January is billed, then corrected, then billed by another version of its meter. */
let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await api.call("PUT", "/v1/catalog", catalog("tokens"));
  await insertTestClock(api.db.orm, "clock", january);
  await addCustomer(api.db, "acme", "clock");
  const items = [{ planKey: "metered", seats: 1 }];
  const opening = { subscriptionId: "sub-acme", customerId: "acme", requestId: "open", at: starts[0], items };
  await openSubscription(api.db, opening);
  const to = instant("2026-04-10T00:00:00Z");
  await moveTestClock(api.db.orm, "clock", { currentAt: to, targetAt: to, isSettled: true });
});
afterAll(() => api.stop());

const starts = [
  "2026-01-01T00:00:00Z",
  "2026-02-01T00:00:00Z",
  "2026-03-01T00:00:00Z",
  "2026-04-01T00:00:00Z",
] as const;
const january = instant(starts[0]);
const source = "gateway";

async function send(id: string, tokens: number): Promise<void> {
  const event = {
    id,
    source,
    customer: "acme",
    type: "request",
    time: "2026-01-10T00:00:00Z",
    data: { tokens },
  };
  expect((await api.call("POST", "/v1/events", event)).body).toMatchObject({ accepted: 1 });
}

/** Of what is billed, so that another key must agree. */
async function correct(body: object): Promise<void> {
  const asked = await api.call("POST", "/v1/usage/corrections", { reason_code: "wrong_quantity", ...body });
  const key = await api.newKey(["approve"]);
  const note = { note: "seen" };
  const decided = await api.call("POST", `/v1/usage/corrections/${asked.body.id}/approve`, note, { key });
  expect(decided.body).toMatchObject({ status: "executed" });
}

/** Closes a month and gives the line of January on its invoice: its quantity, and what its events say. */
async function closedWith(month: 0 | 1 | 2) {
  const at = starts[month + 1] ?? "";
  const input = { subscriptionId: "sub-acme", periodStart: starts[month], at };
  const closed = await closePeriodOnce(api.db, input, { usageWaitMsMax: 0 });
  if (closed.outcome === "waiting" || closed.invoiceId === null) throw new Error("there is an invoice");
  const { lines } = (await api.call("GET", `/v1/invoices/${closed.invoiceId}`)).body;
  expect(lines).toHaveLength(1);
  const { body } = await api.call("GET", `/v1/invoices/${closed.invoiceId}/lines/1/events`);
  const events: { id: string; quantity: string; effect: string }[] = body.data;
  const signed = events.map(({ quantity, effect }) =>
    effect === "added" ? decimal(quantity) : zero.minus(decimal(quantity)),
  );
  return {
    invoice: closed.invoiceId,
    quantity: body.quantity,
    sum: sumDecimals(signed).text,
    events: events.map(({ id }, index) => `${id} ${signed[index]?.text}`).toSorted(),
  };
}

const placesOf = async (id: string) => {
  const { body } = await api.call("GET", `/v1/events/billing?source=${source}&id=${id}`);
  return body.contributions.flatMap(({ quantity, places }: { quantity: string; places: object[] }) =>
    places.map((place) => ({ quantity, ...place })),
  );
};

test("a line's events add up to it through corrections, whatever version of the meter is published meanwhile", async () => {
  await send("stays", 700);
  await send("amended", 50);
  await send("voided", 30);
  const first = await closedWith(0);
  expect(first).toMatchObject({
    quantity: "780",
    sum: "780",
    events: ["amended 50", "stays 700", "voided 30"],
  });

  await correct({ kind: "amend", events: [{ source, id: "amended", data: { tokens: 40 } }] });
  await correct({ kind: "void", events: [{ source, id: "voided" }] });
  await send("late", 5);
  const second = await closedWith(1);
  // 700 + 40 + 5 − 780 = −35
  expect(second).toMatchObject({
    quantity: "-35",
    sum: "-35",
    events: ["amended -50", "amended 40", "late 5", "voided -30"],
  });
  expect(await placesOf("amended")).toMatchObject([
    { quantity: "50", status: "invoiced", revision: 0, effect: "added", invoice: first.invoice, line: 1 },
    {
      quantity: "50",
      status: "invoiced",
      revision: 1,
      effect: "taken_back",
      invoice: second.invoice,
      line: 1,
    },
    { quantity: "40", status: "invoiced", revision: 1, effect: "added", invoice: second.invoice, line: 1 },
  ]);

  // What has begun keeps its version, whatever is published later.
  await api.call("PUT", "/v1/catalog", catalog("tokens * 2"));
  await send("later", 10);
  const third = await closedWith(2);
  expect(third).toMatchObject({ quantity: "10", sum: "10", events: ["later 10"] });
});

const catalog = (value: string) => ({
  meters: [{ key: "tokens", event_type: "request", aggregation: "sum", value, dimensions: [] }],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      grace_seconds: 0,
      prices: [
        {
          type: "usage",
          key: "tokens",
          name: "Tokens",
          product: "tokens",
          meter: "tokens",
          where: {},
          unit_label: "token",
          included: "0",
          model: { type: "per_unit", unit_price_minor: "1" },
        },
      ],
    },
  ],
});
