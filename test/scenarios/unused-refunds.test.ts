import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { reconcileWithStripe } from "../../src/db/invariants/stripe-reconciliation.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type SystemHere, startSystem } from "../support/system.ts";
import { baseFee, calls, plan } from "../support/system-catalog.ts";
import { beginStory, isoTime, type Story } from "../support/system-story.ts";

/**
 * Ends inside a period that give money back, in cents: basic is 3000 a month in advance, plus 6000, and least costs at least
 * 6000 a month with its usage. All begin on 1 April, which has 30 days; on the 16th half of it is left.
 */
const least = {
  type: "minimum",
  key: "least",
  name: "Least",
  product: "least",
  prices: "all",
  amount_minor: "6000",
} as const;
const catalog = {
  meters: [
    { key: "calls", event_type: "api.calls", aggregation: "sum" as const, property: "calls", dimensions: [] },
  ],
  plans: [
    plan("basic", [baseFee("3000"), calls("0", "1")]),
    plan("plus", [baseFee("6000")]),
    plan("least", [baseFee("3000"), calls("0", "1")], { adjustments: [least] }),
  ],
};

let system: SystemHere;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: catalog });
});
afterAll(() => system.stop());
afterEach(async () => {
  await system.followStripe();
  await system.followStripe();
  await expectInvariants(system.db);
  const { findings, unknown } = await verifyInvoices(system.db);
  expect([findings, unknown]).toEqual([[], []]);
  const { differences } = await reconcileWithStripe(system.db.orm, system.surroundings.account.stripe);
  expect(differences).toEqual([]);
});

const ofSubscription = (id: string) => ({ path: { id } });

async function previewEnd(id: string, at?: string) {
  const when = at === undefined ? {} : { effective_at: isoTime(at) };
  return await system.client.post("/v1/subscriptions/{id}/change-preview", {
    params: ofSubscription(id),
    body: { kind: "cancel", unused: "refund", ...when },
  });
}

type When = "now" | "period_end" | { at: string };
function cancel(
  id: string,
  when: When = "now",
  rest: { preview?: { effective_at: string; quote: string } } = {},
) {
  const body = { when, unused: "refund" as const, ...rest };
  return system.client.post("/v1/subscriptions/{id}/cancel", { params: ofSubscription(id), body });
}

/** `ADA-CN-0001: 1500 = 0 due + 0 balance + 1500 refund` of each note, the oldest first. */
async function notesOf(customer: string): Promise<string[]> {
  const { data } = await system.client.get("/v1/credit-notes", { params: { query: { customer } } });
  return data
    .toReversed()
    .map(
      (note) =>
        `${note.total_minor} = ${note.lowers_due_minor} due + ${note.to_balance_minor} balance + ${note.to_refund_minor} refund, ${note.status}`,
    );
}

/** What Stripe has sent back of a story's invoices, payment by payment. */
async function sentBack(story: Story): Promise<number[]> {
  const { stripe } = system.surroundings.account;
  const payments = (await story.invoices()).flatMap(({ payments: paid }) => paid);
  const sent: number[] = [];
  for (const { stripe_payment_intent: intent } of payments) {
    const { data } = await stripe.refunds.list({ payment_intent: intent });
    sent.push(...data.map(({ amount }) => amount));
  }
  return sent;
}

describe("an end that refunds", () => {
  test("now, as it was previewed: half of the month goes back to the card, once, and its usage is billed", async () => {
    const ada = await beginStory(system, { id: "ada", plan: "basic" });
    await ada.until("04-16");
    await ada.uses(200, "04-10");
    const { effective_at, quote, ...shown } = await previewEnd("ada");
    const [invoice] = await ada.invoices();
    expect(shown).toMatchObject({
      lines: [],
      refund_minor: "1500",
      credit_notes: [
        {
          invoice: invoice?.id,
          lines: [{ line: 1, amount_minor: "1500" }],
          total_minor: "1500",
          to_refund_minor: "1500",
        },
      ],
    });
    const body = { when: "now" as const, unused: "refund" as const, preview: { effective_at, quote } };
    const request = { params: ofSubscription("ada"), body, headers: { "idempotency-key": "ada-ends" } };
    const ended = await system.client.post("/v1/subscriptions/{id}/cancel", request);
    expect(ended).toMatchObject({ invoice: null, subscription: { status: "canceled" } });
    expect(await system.client.post("/v1/subscriptions/{id}/cancel", request)).toEqual(ended);
    await ada.until("04-17");
    expect(await notesOf("ada")).toEqual(["1500 = 0 due + 0 balance + 1500 refund, issued"]);
    expect(await sentBack(ada)).toEqual([1500]);
    expect(await ada.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 200 = 200, paid"]);
    expect(await ada.balance()).toBe("0");
    const { data: notes } = await system.client.get("/v1/credit-notes", {
      params: { query: { customer: "ada" } },
    });
    expect(notes[0]).toMatchObject({
      subscription: "ada",
      approval: { needed: false },
      reason_code: "contract",
    });
    const voided = system.client.post("/v1/invoices/{id}/void", {
      params: { path: { id: invoice?.id ?? "" } },
      body: { reason_code: "billing_error" },
    });
    await expect(voided).rejects.toMatchObject({ code: "invoice_not_voidable" });
  });

  test("at a date, by its run; with the period's end, nothing is unused", async () => {
    const ben = await beginStory(system, { id: "ben", plan: "basic" });
    const eva = await beginStory(system, { id: "eva", plan: "basic" });
    await ben.until("04-02");
    await cancel("ben", { at: isoTime("04-21") });
    await ben.until("04-20");
    expect([await notesOf("ben"), await ben.status()]).toEqual([[], "active"]);
    await ben.until("04-22");
    expect(await notesOf("ben")).toEqual(["1000 = 0 due + 0 balance + 1000 refund, issued"]);
    expect([await sentBack(ben), await ben.status()]).toEqual([[1000], "canceled"]);

    await eva.until("04-16");
    await cancel("eva", "period_end");
    await eva.until("05-02");
    expect([await notesOf("eva"), await sentBack(eva), await eva.status()]).toEqual([[], [], "canceled"]);
  });

  test("after an upgrade: what its own invoice was paid with first, the rest from the one that the upgrade had handed back", async () => {
    const cleo = await beginStory(system, { id: "cleo", plan: "basic" });
    await cleo.until("04-16");
    await cleo.changePlan("plus", 1);
    await cleo.until("04-17");
    // −1500 + 3000 of which 2800 are left with 14 of 15 days: 1500 by that invoice, 1300 by the first.
    const shown = await previewEnd("cleo");
    expect([shown.refund_minor, shown.lines]).toEqual(["2800", []]);
    await cancel("cleo");
    await cleo.until("04-18");
    expect(await notesOf("cleo")).toEqual(
      expect.arrayContaining([
        "1500 = 0 due + 0 balance + 1500 refund, issued",
        "1300 = 0 due + 0 balance + 1300 refund, issued",
      ]),
    );
    expect((await sentBack(cleo)).toSorted((one, other) => one - other)).toEqual([1300, 1500]);
  });

  test("after a goodwill note of 1000: half of the 2000 that were paid; and never more than the payment has left", async () => {
    const dan = await beginStory(system, { id: "dan", plan: "basic" });
    await dan.until("04-02");
    const [invoice] = await dan.invoices();
    await system.client.post("/v1/invoices/{id}/refunds", {
      params: { path: { id: invoice?.id ?? "" } },
      body: { amount_minor: "1000", reason_code: "goodwill" },
    });
    await dan.until("04-16");
    await cancel("dan");
    await dan.until("04-17");
    expect(await notesOf("dan")).toEqual([
      "1000 = 0 due + 0 balance + 1000 refund, issued",
      "1000 = 0 due + 0 balance + 1000 refund, issued",
    ]);
    expect(await sentBack(dan)).toEqual([1000, 1000]);
  });

  test("whose invoice is in dunning: nobody has paid, so nothing is sent, and less is due, at Stripe too", async () => {
    const finn = await beginStory(system, { id: "finn", plan: "basic", card: "pm_card_chargeCustomerFail" });
    await finn.until("04-02");
    expect((await finn.invoices()).map(({ status }) => status)).toEqual(["open"]);
    const shown = await previewEnd("finn", "04-02 00:00");
    expect([shown.refund_minor, shown.net_minor]).toEqual(["0", "0"]);
    expect(shown.credit_notes).toMatchObject([{ lowers_due_minor: "2900", total_minor: "2900" }]);
    await cancel("finn");
    expect(await notesOf("finn")).toEqual(["2900 = 2900 due + 0 balance + 0 refund, issued"]);
    expect(await finn.balance()).toBe("0");
  });

  test("a minimum counts what went back as if it had not been charged", async () => {
    const gus = await beginStory(system, { id: "gus", plan: "least" });
    await gus.until("04-16");
    await cancel("gus");
    await gus.until("04-17");
    // For half a month the least is 3000; 1500 of it were paid in advance and kept.
    expect(await gus.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 1500 = 1500, paid"]);
  });
});

test("what was paid from the balance goes back there", async () => {
  const hal = await beginStory(system, { id: "hal", plan: "basic" });
  await hal.until("04-02");
  await system.client.post("/v1/customers/{id}/balance-adjustments", {
    params: { path: { id: "hal" } },
    body: { change_minor: "2000", reason_code: "goodwill" },
  });
  await hal.until("05-02");
  expect((await hal.sums()).at(-1)).toBe("cycle: 3000 − 2000 balance = 1000, paid");
  await hal.until("05-16 12:00");
  await cancel("hal");
  // 15.5 of 31 days of 3000: the 1000 of the payment, and 500 of what the balance had paid.
  expect(await notesOf("hal")).toEqual(["1500 = 0 due + 500 balance + 1000 refund, issued"]);
  expect(await hal.balance()).toBe("500");
});

test("tax that was reckoned outside goes back by its share", async () => {
  const ines = await beginStory(system, { id: "ines", plan: "basic" });
  const params = { path: { id: "ines" } };
  await system.client.put("/v1/customers/{id}/tax", { params, body: { handling: "external" } });
  await ines.until("05-01 12:00");
  const query = { subscription: "ines" };
  const { data: drafts } = await system.client.get("/v1/draft-invoices", { params: { query } });
  const draft = { params: { path: { id: drafts[0]?.id ?? "" } } };
  const { tax } = await system.client.get("/v1/draft-invoices/{id}", draft);
  const line = { description: "VAT 19 %", jurisdiction: "de", rate: "0.19", lines: [1] };
  await system.client.put("/v1/draft-invoices/{id}/tax-lines", {
    ...draft,
    body: {
      ...{ quote: tax.quote ?? "", currency: "usd", tax_minor: "570" },
      lines: [{ ...line, taxable_minor: "3000", amount_minor: "570" }],
    },
  });
  await ines.until("05-16 12:00");
  expect((await ines.sums()).at(-1)).toBe("cycle: 3000 + 570 = 3570, paid");
  expect(await previewEnd("ines")).toMatchObject({ refund_minor: "1785", lines: [], tax_quote: null });
  await cancel("ines");
  await ines.until("05-17");
  expect(await notesOf("ines")).toEqual(["1785 = 0 due + 0 balance + 1785 refund, issued"]);
  expect(await sentBack(ines)).toEqual([1785]);
});
