import type { ReckonerClient } from "../../src/sdk/index.ts";
import type { System } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";

/** What is there to be asked for, and changed: ids that exist, by the first segment of the paths that take them. */
export async function prepareScene(system: System): Promise<ReadonlyMap<string, string>> {
  const { client } = system;
  await client.put("/v1/catalog", { body: scenarioCatalog });
  const acme = await beginStory(system, { id: "acme", plan: "team", seats: 2 });
  await client.put("/v1/seller", { body: { name: "Reckoner", address_lines: ["Street 1"] } });
  await acme.uses(500, "04-08");
  await acme.until("05-01 02:00");
  return new Map([
    ["customers", "acme"],
    ["subscriptions", "acme"],
    ["test-clocks", "acme"],
    ...(await made(client)),
  ]);
}

async function made(client: ReckonerClient): Promise<[string, string][]> {
  const params = { path: { id: "acme" } };
  const customer = { query: { customer: "acme", limit: 1 } };
  const [invoice = { id: "" }] = (await client.get("/v1/invoices", { params: customer })).data;
  const [notice = { id: "" }] = (await client.get("/v1/notices", { params: customer })).data;
  const grant = { amount_minor: "5000", reason_code: "promotion" } as const;
  const credit = await client.post("/v1/customers/{id}/credit-grants", { params, body: grant });
  const recurring = await client.post("/v1/customers/{id}/recurring-credit-grants", {
    params,
    body: { amount_minor: "100", reason_code: "promotion", interval: { unit: "month", count: 1 } },
  });
  const campaign = await client.post("/v1/campaigns", {
    body: { name: "Spring", currency: "usd", budget_minor: "100000" },
  });
  const coupon = await client.post("/v1/coupons", {
    body: { code: "SPRING", name: "Spring", currency: "usd", amount_minor: "500" },
  });
  const cap = await client.post("/v1/customers/{id}/spending-caps", {
    params,
    body: { amount_minor: "2000", window: { type: "billing_cycle" }, spender: { type: "organisation" } },
  });
  const endpoint = await client.post("/v1/webhook-endpoints", { body: { url: "https://127.0.0.1:9/hook" } });
  const backfill = await client.post("/v1/usage/backfills", { body: { name: "March", reason: "late file" } });
  const key = await client.post("/v1/api-keys", { body: { name: "to be ended", scopes: ["read"] } });
  const [audited = { id: "" }] = (await client.get("/v1/audit-events")).data;
  const [entry = { id: "" }] = (await client.get("/v1/ledger/entries")).data;
  const [account = { id: "" }] = (await client.get("/v1/ledger/accounts")).data;
  const note = await client.post("/v1/invoices/{id}/credit-notes", {
    params: { path: { id: invoice.id } },
    body: { reason_code: "goodwill", lines: [{ line: 1, amount_minor: "100" }] },
  });
  return [
    ["invoices", invoice.id],
    ["notices", notice.id],
    ["credit-grants", (credit as { id: string }).id],
    ["recurring-credit-grants", (recurring as { id: string }).id],
    ["campaigns", campaign.id],
    ["coupons", coupon.id],
    ["spending-caps", cap.id],
    ["webhook-endpoints", endpoint.id],
    ["usage/backfills", backfill.id],
    ["api-keys", key.id],
    ["audit-events", audited.id],
    ["ledger/entries", entry.id],
    ["ledger/accounts", account.id],
    ["credit-notes", (note as { id: string }).id],
  ];
}
