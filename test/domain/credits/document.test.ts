import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type BurnOrder,
  burn,
  burnOrders,
  carriedOver,
  earlierUsages,
  giveBack,
  keptWithin,
  usualCreditPolicy,
} from "../../../src/domain/credits/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";
import { a, b, c, day, drawsText } from "./grants.ts";

/** The page about credit grants says what the domain does: its tables are read here, and compared. */
const page = readFileSync(join(import.meta.dirname, "../../../docs/credit-grants.md"), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("every order of burning, with its criteria and its draws", () => {
  for (const order of Object.keys(burnOrders) as BurnOrder[]) {
    const row = rows.find(([name = ""]) => name.startsWith(`\`${order}\``));
    expect(row?.[0]?.includes("default"), order).toBe(order === usualCreditPolicy.burnOrder);
    expect(row?.slice(1)).toEqual([
      burnOrders[order].join(", "),
      drawsText(burn([a, b, c], ledgerAmount(10n), day(1), order).draws),
    ]);
  }
});

test("what goes over", () => {
  const shown = rows.filter(([left = ""]) => /^\d+$/.test(left));
  expect(shown).toHaveLength(5);
  for (const [left = "", limits = "", next] of shown) {
    const [min = "", max = ""] = limits.split(", ");
    const between = { min: ledgerAmount(BigInt(min)), max: ledgerAmount(BigInt(max)) };
    expect(carriedOver(ledgerAmount(BigInt(left)), between).toString()).toBe(next);
  }
  const kept = keptWithin([50n, 50n].map(ledgerAmount), ledgerAmount(70n));
  expect(rows).toContainEqual(["January's, February's", kept.join(", ")]);
});

describe("what goes back", () => {
  const draws = burn([a, b, c], ledgerAmount(10n), day(1)).draws;
  const returnable = draws.map((draw) => ({ ...draw, kind: "paid" as const, isEnded: false }));
  const less = (amount: bigint, by: "credits_first" | "money_first", paid = 5n): string => {
    const policy = { ...usualCreditPolicy, giveBack: by };
    const { returned, money } = giveBack(returnable, ledgerAmount(paid), ledgerAmount(amount), policy);
    const parts = [
      ...(money > 0n ? [`money ${money}`] : []),
      ...(returned.length > 0 ? [drawsText(returned)] : []),
    ];
    return (by === "credits_first" ? parts.toReversed() : parts).join(", ");
  };

  test.each([4n, 9n, 12n])("%s less", (amount) => {
    expect(rows).toContainEqual([
      `${amount} less`,
      less(amount, "credits_first"),
      less(amount, "money_first"),
    ]);
  });

  test("the simple example", () => {
    expect(rows).toContainEqual(["4 less", less(4n, "credits_first", 0n)]);
  });
});

test("every option, with its default", () => {
  const isDefault = (value: string) => rows.some((cells) => cells.includes(`\`${value}\` (default)`));
  const { earlierUsage, giveBack: back, whenEnded } = usualCreditPolicy;
  for (const value of [
    ...earlierUsages,
    "credits_first",
    "money_first",
    "paid_to_balance",
    "all_to_balance",
  ]) {
    expect(page, value).toContain(`\`${value}\``);
    expect([value, isDefault(value)]).toEqual([
      value,
      [earlierUsage, back, whenEnded].some((usual) => usual === value),
    ]);
  }
});
