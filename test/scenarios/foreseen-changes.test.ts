import { afterAll, beforeAll, expect, test } from "vitest";
import type { Schemas } from "../../src/sdk/index.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory, isoTime, type Story } from "../support/system-story.ts";

/** What changes would come to is asked before they are made; then they are made, and time passes: the invoices are those. */

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());

type Change = Schemas["ThoughtOfChangeInput"];

const of = (id: string) => ({ path: { id } });

async function foreseen(id: string, changes: Change[], periods: number) {
  const body = { changes, periods };
  return await system.client.post("/v1/subscriptions/{id}/foreseen-invoices", { params: of(id), body });
}

interface Amounts {
  readonly lines: readonly { readonly amount_minor: string }[];
  readonly balance_applied_minor: string;
  readonly total_minor: string;
}

const sums = ({ lines, balance_applied_minor: balance, total_minor: total }: Amounts) =>
  `${lines.map((line) => line.amount_minor).join(" ")} − ${balance} balance = ${total}`;

/** Every invoice after the first, in the order in which they were issued. */
async function issued(story: Story): Promise<string[]> {
  const [, ...later] = await story.invoices();
  return later.map((invoice) => `${invoice.issued_at} ${sums(invoice)}`);
}

test("an upgrade now, seats at a date, another plan with the next period: their invoices, and those of two periods", async () => {
  const ada = await beginStory(system, { id: "ada", plan: "solo" });
  await ada.until("04-16");
  await ada.uses(250, "04-10");
  const at = isoTime("04-21");
  const changes: Change[] = [
    { kind: "change_plan", plan: "team", seats: 4 },
    { kind: "change_quantity", seats: 7, when: { at } },
    { kind: "change_plan", plan: "solo", when: "period_end" },
  ];
  const before = await foreseen("ada", [], 2);
  const said = await foreseen("ada", changes, 2);
  expect(said.invoices.map(({ kind }) => kind)).toEqual(["change", "change", "closing", "closing"]);
  expect(said.invoices.map(sums).slice(0, 2)).toEqual([
    // 15 of 30 days: 3000 back, 6000 and two seats of 900 that are not included.
    "-1500 3000 900 − 0 balance = 2400",
    // 10 of 30 days: two seats back, five charged.
    "-600 1500 − 0 balance = 900",
  ]);
  expect(await foreseen("ada", [], 2)).toEqual(before);

  const params = of("ada");
  await system.client.post("/v1/subscriptions/{id}/change-plan", {
    params,
    body: { plan: "team", seats: 4 },
  });
  await system.client.post("/v1/subscriptions/{id}/change-quantity", {
    params,
    body: { seats: 7, when: { at } },
  });
  await system.client.post("/v1/subscriptions/{id}/change-plan", {
    params,
    body: { plan: "solo", when: "period_end" },
  });
  await ada.until("06-02");
  expect(await issued(ada)).toEqual(said.invoices.map((invoice) => `${invoice.issued_at} ${sums(invoice)}`));
});

test("an end at a date with a refund: what goes back, and the last invoice; and what the rules do not allow", async () => {
  const ben = await beginStory(system, { id: "ben", plan: "solo" });
  await ben.until("04-16");
  await ben.uses(150, "04-10");
  const end: Change = { kind: "cancel", unused: "refund", when: { at: isoTime("05-11 12:00") } };
  const said = await foreseen("ben", [end], 3);
  expect(said.invoices.map(({ kind }) => kind)).toEqual(["closing", "closing"]);
  // Of May, which is not invoiced yet: 20.5 of 31 days of 3000.
  expect(said.credit_notes).toMatchObject([{ invoice: "foreseen_1", to_refund_minor: "1984" }]);
  await expect(foreseen("ben", [{ kind: "resume" }], 1)).rejects.toMatchObject({
    code: "subscription_not_paused",
  });
  const after: Change = { kind: "change_quantity", seats: 2, when: { at: isoTime("05-20") } };
  await expect(foreseen("ben", [end, after], 1)).rejects.toMatchObject({
    code: "scheduled_change_after_end",
  });

  await system.client.post("/v1/subscriptions/{id}/cancel", {
    params: of("ben"),
    body: { unused: "refund", when: { at: isoTime("05-11 12:00") } },
  });
  await ben.until("05-12");
  expect(await issued(ben)).toEqual(
    said.invoices
      .filter(({ lines }) => lines.length > 0)
      .map((invoice) => `${invoice.issued_at} ${sums(invoice)}`),
  );
  const { data: notes } = await system.client.get("/v1/credit-notes", {
    params: { query: { customer: "ben" } },
  });
  expect(notes.map((note) => note.to_refund_minor)).toEqual(["1984"]);
});
