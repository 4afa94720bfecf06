import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { burn, type CreditPolicy, giveBack, usualCreditPolicy } from "../../../src/domain/credits/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";
import { a, b, c, day } from "./grants.ts";

const open = (draws: readonly { grantId: string; amount: bigint }[]) =>
  draws.map(({ grantId, amount }) => ({
    grantId,
    amount: ledgerAmount(amount),
    kind: "paid" as const,
    isEnded: false,
  }));

const ten = open(burn([a, b, c], ledgerAmount(10n), day(1)).draws);

describe("B4, C3, A3 paid for usage, and money paid 5", () => {
  test.each<{ amount: bigint; by: CreditPolicy["giveBack"]; returned: string; money: bigint }>([
    { amount: 0n, by: "credits_first", returned: "", money: 0n },
    { amount: 4n, by: "credits_first", returned: "A3, C1", money: 0n },
    { amount: 10n, by: "credits_first", returned: "A3, C3, B4", money: 0n },
    { amount: 12n, by: "credits_first", returned: "A3, C3, B4", money: 2n },
    { amount: 4n, by: "money_first", returned: "", money: 4n },
    { amount: 5n, by: "money_first", returned: "", money: 5n },
    { amount: 9n, by: "money_first", returned: "A3, C1", money: 5n },
    { amount: 15n, by: "money_first", returned: "A3, C3, B4", money: 5n },
  ])("$amount less, $by: $returned go back, and $money of money", ({ amount, by, returned, money }) => {
    const policy = { ...usualCreditPolicy, giveBack: by };
    const back = giveBack(ten, ledgerAmount(5n), ledgerAmount(amount), policy);
    expect(back.returned.map((draw) => `${draw.grantId}${draw.amount}`).join(", ")).toBe(returned);
    expect(back.money).toBe(money);
  });
});

test.each([
  { kind: "paid", isEnded: false, whenEnded: "paid_to_balance", to: "grant" },
  { kind: "promotional", isEnded: false, whenEnded: "all_to_balance", to: "grant" },
  { kind: "paid", isEnded: true, whenEnded: "paid_to_balance", to: "balance" },
  { kind: "promotional", isEnded: true, whenEnded: "paid_to_balance", to: "lapsed" },
  { kind: "goodwill", isEnded: true, whenEnded: "paid_to_balance", to: "lapsed" },
  { kind: "promotional", isEnded: true, whenEnded: "all_to_balance", to: "balance" },
  { kind: "goodwill", isEnded: true, whenEnded: "all_to_balance", to: "balance" },
] as const)(
  "what a $kind grant paid (ended: $isEnded) goes, by $whenEnded, to: $to",
  ({ to, whenEnded, ...of }) => {
    const draw = { grantId: "g", amount: ledgerAmount(2n), ...of };
    const policy = { ...usualCreditPolicy, whenEnded };
    const { returned } = giveBack([draw], ledgerAmount(0n), ledgerAmount(2n), policy);
    expect(returned).toEqual([{ ...draw, to }]);
  },
);

test("what comes back, in any number of steps, sums to what is taken off, and no draw gives back more than it was", () => {
  const anyDraws = fc.array(fc.bigInt(1n, 20n), { maxLength: 6 });
  const orders = fc.constantFrom("credits_first" as const, "money_first" as const);
  const steps = fc.array(fc.bigInt(0n, 30n), { maxLength: 5 });
  fc.assert(
    fc.property(anyDraws, fc.bigInt(0n, 40n), steps, orders, (amounts, paid, taken, by) => {
      const policy = { ...usualCreditPolicy, giveBack: by };
      const all = amounts.reduce((sum, amount) => sum + amount, 0n) + paid;
      let draws = open(amounts.map((amount, index) => ({ grantId: `g${index}`, amount })));
      let money = ledgerAmount(paid);
      let back = 0n;
      for (const step of taken) {
        const amount = ledgerAmount(step < all - back ? step : all - back);
        const given = giveBack(draws, money, amount, policy);
        const returned = given.returned.reduce((sum, draw) => sum + draw.amount, 0n);
        expect(returned + given.money).toBe(amount);
        expect(given.money).toBeLessThanOrEqual(money);
        draws = draws.map((draw) => {
          const part = given.returned.find(({ grantId }) => grantId === draw.grantId)?.amount ?? 0n;
          expect(part).toBeLessThanOrEqual(draw.amount);
          return { ...draw, amount: ledgerAmount(draw.amount - part) };
        });
        money = ledgerAmount(money - given.money);
        back += amount;
      }
      const left = draws.reduce((sum, draw) => sum + draw.amount, 0n) + money;
      expect(left + back).toBe(all);
    }),
  );
});
