import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amountToCollect, isoMinorOf, stripeAmount } from "../../src/stripe/index.ts";
import { invoiceFor, railScene } from "./support/rail-scene.ts";
import { type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

describe("our minor units and Stripe's", () => {
  test.each([
    { ours: "1250", currency: "usd", theirs: 1250, back: "1250", why: "cents are cents" },
    { ours: "700", currency: "jpy", theirs: 700, back: "700", why: "yen have no fraction" },
    { ours: "5000", currency: "isk", theirs: 500_000, back: "5000", why: "krónur are sent as hundredths" },
    { ours: "5000", currency: "ugx", theirs: 500_000, back: "5000", why: "so are shillings" },
    { ours: "123400", currency: "mga", theirs: 1234, back: "123400", why: "ariary are sent whole" },
    { ours: "123401", currency: "mga", theirs: 1235, back: "123500", why: "1234.01 is rounded up" },
    { ours: "12340", currency: "kwd", theirs: 12_340, back: "12340", why: "the last digit is zero" },
    { ours: "12341", currency: "kwd", theirs: 12_350, back: "12350", why: "12.341 is rounded up to tens" },
  ])("$ours $currency is collected as $theirs: $why", ({ ours, currency, theirs, back }) => {
    expect(amountToCollect(ours, currency)).toBe(theirs);
    expect(isoMinorOf(theirs, currency)).toBe(back);
  });

  test("lines are rounded to the nearest, half to even", () => {
    expect(["12344", "12345", "12355", "-12346"].map((line) => stripeAmount(line, "kwd"))).toEqual([
      12_340, 12_340, 12_360, -12_350,
    ]);
  });

  test("what Stripe counts below our minor unit is never guessed", () => {
    expect(() => isoMinorOf(500_050, "isk")).toThrow("no whole number of minor units");
  });

  test("eight digits are the most, as Stripe counts", () => {
    expect(() => stripeAmount("100000000", "usd")).toThrow("at most eight digits");
    expect(() => stripeAmount("1000000", "isk")).toThrow("at most eight digits");
    expect(stripeAmount("9999999900", "mga")).toBe(99_999_999);
  });
});

describe("an invoice in a currency that Stripe counts otherwise", () => {
  let server: SandboxUnderTest;
  beforeAll(async () => {
    server = await sandboxUnderTest();
  });
  afterAll(() => server.close());

  const line = (lineId: string, amountMinor: string) => ({ lineId, description: lineId, amountMinor });
  test.each([
    {
      currency: "isk",
      lines: ["4000", "1500", "-500"],
      total: "5000",
      shown: [400_000, 150_000, -50_000],
      paid: "5000",
    },
    // 12.344 + 3.123 = 15.467, which is rounded up to 15.470.
    { currency: "kwd", lines: ["12344", "3123"], total: "15467", shown: [12_340, 3_120, 10], paid: "15470" },
    // 1000.50 + 500.25 = 1500.75 → 1501 ariary; the lines alone are 1000 + 500.
    { currency: "mga", lines: ["100050", "50025"], total: "150075", shown: [1000, 500, 1], paid: "150100" },
  ])("$total $currency is paid with $paid", async ({ currency, lines, total, shown, paid }) => {
    const scene = railScene(server.sandbox.url);
    const stripeCustomerId = await scene.customerWithCard("pm_card_visa");
    const mirrored = await scene.rail.mirrorInvoice({
      ...invoiceFor(stripeCustomerId),
      currency,
      totalMinor: total,
      lines: lines.map((amount, index) => line(`l${index}`, amount)),
    });
    const { data } = await scene.stripe.invoices.listLineItems(mirrored.stripeInvoiceId);
    expect(data.map(({ amount }) => amount)).toEqual(shown);
    expect(await scene.pay(mirrored.stripeInvoiceId)).toMatchObject({ status: "paid", amountMinor: paid });
  });
});
