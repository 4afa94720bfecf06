import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordedHistories } from "../replay/history-file.ts";
import { seatPlans } from "../support/seat-plans.ts";
import { type System, startSystem } from "../support/system.ts";

/** What Temporal keeps of customers: ids, states and instants, and nothing that says who they are. */

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const person = { name: "Ottilie Quandt", email: "ottilie.quandt@mail.example" };
/** Every way in which the person, or their card, could be written. */
const personal = /ottilie|quandt|@mail|pm_card|tok_|\b4242\b|\b0341\b|visa|exp_month/i;

test("a whole life of a customer with a name, an address and cards leaves none of it in Temporal", async () => {
  await liveThrough(system);
  const { temporalClient } = system.surroundings;
  const kept = await everythingOf(temporalClient);
  expect(kept.types).toEqual(
    new Set(["subscription", "billingCycle", "collection", "dunning", "topUp", "testClock", "withdrawal"]),
  );
  expect(kept.texts.length).toBeGreaterThan(200);
  expect(kept.texts.some((text) => text.includes('"customerId":"c1"'))).toBe(true);
  expect(kept.texts.filter((text) => personal.test(text))).toEqual([]);
}, 120_000);

/** A subscription with a change, a declined card, an invoice that is voided for it, a new one, credits that are bought, and an end. */
async function liveThrough({ client, advance }: System): Promise<void> {
  const id = "c1";
  const params = { path: { id } };
  const card = (token: string) =>
    client.post("/v1/customers/{id}/payment-methods", { params, body: { token } });
  await client.put("/v1/catalog", { body: seatPlans });
  await client.post("/v1/test-clocks", { body: { id, at: "2026-04-01T00:00:00Z" } });
  await client.post("/v1/customers", { body: { id, ...person, currency: "usd", test_clock: id } });
  await card("pm_card_visa");
  await client.post("/v1/subscriptions", { body: { id, customer: id, items: [{ plan: "solo", seats: 1 }] } });
  await advance(id, "2026-04-10T00:00:00Z");
  await client.post("/v1/subscriptions/{id}/change-plan", { params, body: { plan: "team" } });
  await client.post("/v1/customers/{id}/credit-purchases", {
    params,
    body: { amount_minor: "5000", reason: "credits" },
  });
  await card("pm_card_chargeCustomerFail");
  await advance(id, "2026-05-03T00:00:00Z");
  const { data } = await client.get("/v1/invoices", { params: { query: { customer: id, status: "open" } } });
  const [unpaid] = data;
  await client.post("/v1/invoices/{id}/void", {
    params: { path: { id: unpaid?.id ?? "" } },
    body: { reason_code: "other", reason: `as ${person.name} asked by telephone` },
  });
  await card("pm_card_visa");
  await advance(id, "2026-05-10T00:00:00Z");
  await client.post("/v1/subscriptions/{id}/cancel", { params, body: { when: "now" } });
  await advance(id, "2026-05-20T00:00:00Z");
}

/** Every text in every history, search attribute and memo of the namespace, with payloads in plain. */
async function everythingOf(client: Client) {
  const texts: string[] = [];
  const types = new Set<string>();
  for await (const run of client.workflow.list()) {
    types.add(run.type);
    texts.push(...textsIn(run.raw), run.workflowId);
    const history = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    texts.push(...textsIn(history));
  }
  return { texts, types };
}

/** Made by chance, of the digits that card numbers have. */
const uuids = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** What the server counts, which comes as text. */
const counters = ["historySizeBytes", "taskId"];

/** Every text in a message of the protocol, counters and UUIDs aside; bytes are what payloads say. */
function textsIn(message: unknown): string[] {
  const texts: string[] = [];
  JSON.stringify(message, (name, value) => {
    if (typeof value !== "string" || counters.includes(name)) return value;
    const text = name === "data" ? Buffer.from(value, "base64").toString() : value;
    texts.push(text.replaceAll(uuids, "UUID"));
    return value;
  });
  return texts;
}

test.each(recordedHistories())(
  "$version/$name holds ids, states, instants and words of ours alone",
  ({ history }) => {
    const texts = textsIn(history);
    expect(texts.length).toBeGreaterThan(5);
    expect(
      texts.filter((text) =>
        /[\w.]@[a-z][\w-]*\.[a-z]|\bpm_|\btok_|\b4242\b|"(name|email|last4|brand)"/i.test(text),
      ),
    ).toEqual([]);
  },
);
