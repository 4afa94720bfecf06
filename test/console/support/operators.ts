import type { Schemas } from "../../../src/sdk/index.ts";
import type { System } from "../../support/system.ts";
import { scenarioCatalog } from "../../support/system-catalog.ts";
import { beginStory } from "../../support/system-story.ts";

/** Keys of the two people who work at the console: nobody agrees to their own requests. */
export interface Operators {
  readonly support: string;
  readonly finance: string;
}

export async function operatorsOf({ client }: System): Promise<Operators> {
  const keyFor = async (name: string, scopes: Schemas["ApiKey"]["scopes"]) =>
    (await client.post("/v1/api-keys", { body: { name, scopes } })).secret ?? "";
  return {
    support: await keyFor("support", ["write"]),
    finance: await keyFor("finance", ["write", "approve"]),
  };
}

/**
 * Nora with 62 seats on the plan team: 6,000 + 60 × 900 = $600.00 a month, and usage. April is paid; May's invoice, with June's
 * charges in advance, is open, because the card is declined. It is June 2.
 */
export async function noraInJune(system: System) {
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
  const nora = await beginStory(system, { id: "nora", plan: "team", seats: 62 });
  await nora.until("04-20");
  await nora.uses(1300, "04-10"); // 1,000 above what is included: $10.00
  await nora.until("05-20");
  await nora.uses(800, "05-10"); // 500 above: $5.00
  await nora.declines(nora.paymentMethod, ["insufficient_funds", "insufficient_funds"]);
  await nora.until("06-02");
  await nora.uses(400, "06-01 12:00"); // 100 above: $1.00
  return nora;
}

/** The invoice of a kind of Nora's that has this state; the newest. */
export async function invoiceOf({ client }: System, status: "open" | "paid", kind: string) {
  const { data } = await client.get("/v1/invoices", { params: { query: { customer: "nora", status } } });
  const found = data.find((invoice) => invoice.kind === kind);
  if (found === undefined) throw new Error(`nora has no ${status} invoice of the kind ${kind}`);
  return found;
}
