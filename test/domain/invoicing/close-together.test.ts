import fc from "fast-check";
import { expect, test } from "vitest";
import { instant, isoOf } from "../../../src/domain/calendar/index.ts";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import {
  carriedOnce,
  closePeriod,
  closeTogether,
  completenessTogether,
  entriesTogether,
  invoicingOf,
  type PeriodFacts,
  stretchesOf,
} from "../../../src/domain/invoicing/index.ts";
import { currency, decimal, ledgerAmount, money } from "../../../src/domain/money/index.ts";
import { february, january, meters, pro, terms } from "./plans.ts";

const usd = currency("usd");
const closedAt = instant("2026-02-01T01:00:00Z");

const grant = (id: string, cents: bigint): CreditGrant => ({
  ...{ id, kind: "paid", priority: 50, remaining: ledgerAmount(cents * 10n ** 8n), currency: usd },
  ...{ effectiveAt: january.start, expiresAt: null, createdAt: january.start },
});

interface Given {
  /** Of which 310 are free and the others half a cent. */
  readonly tokens: number;
  /** Without a next period, whose fee is 3100. */
  readonly ended?: boolean;
}

function factsOf(
  { tokens, ended = true }: Given,
  means: {
    readonly grants?: readonly CreditGrant[];
    readonly balance?: bigint;
    readonly carried?: bigint;
  } = {},
): PeriodFacts {
  const history = [terms(pro, isoOf(january.start))];
  return {
    ...{
      currency: usd,
      period: january,
      full: january,
      next: ended ? null : february,
      terms: history,
      meters,
    },
    usage: stretchesOf(history, january).map((stretch) => ({
      stretch,
      readings: [
        { meterKey: "tokens", dimensions: { model: "deep" }, quantity: decimal(String(tokens)) },
        { meterKey: "tokens", dimensions: { model: "swift" }, quantity: decimal("1000000") },
      ],
    })),
    ...{ late: [], waiting: [], grants: means.grants ?? [] },
    customerBalance: money(means.balance ?? 0n, "usd"),
    carried: money(means.carried ?? 0n, "usd"),
    asOf: closedAt,
  };
}

const cents = (closed: ReturnType<typeof closeTogether>) => ({
  parts: closed.parts.map(({ lines }) => lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`)),
  credits: closed.totals.creditsApplied.amountMinor,
  balance: closed.totals.balanceApplied.amountMinor,
  total: closed.totals.total.amountMinor,
});

test.each([
  {
    why: "(1310 − 310) × 0.5 = 500 and (510 − 310) × 0.5 = 100",
    parts: [{ tokens: 1310 }, { tokens: 510 }],
    means: {},
    is: { parts: [["usage 500"], ["usage 100"]], credits: 0n, balance: 0n, total: 600n },
  },
  {
    why: "credit of 550 pays the first 500 and 50 of the second 100",
    parts: [{ tokens: 1310 }, { tokens: 510 }],
    means: { grants: [grant("g", 550n)] },
    is: { parts: [["usage 500"], ["usage 100"]], credits: 550n, balance: 0n, total: 50n },
  },
  {
    why: "the other way round 100 and 450 of 500: the same sum",
    parts: [{ tokens: 510 }, { tokens: 1310 }],
    means: { grants: [grant("g", 550n)] },
    is: { parts: [["usage 100"], ["usage 500"]], credits: 550n, balance: 0n, total: 50n },
  },
  {
    why: "a balance of 550 pays the sum: 600 − 550",
    parts: [{ tokens: 1310 }, { tokens: 510 }],
    means: { balance: 550n },
    is: { parts: [["usage 500"], ["usage 100"]], credits: 0n, balance: 550n, total: 50n },
  },
  {
    why: "30 and 30 cents are each too small to be charged; 60 are not",
    parts: [{ tokens: 370 }, { tokens: 370 }],
    means: {},
    is: { parts: [["usage 30"], ["usage 30"]], credits: 0n, balance: 0n, total: 60n },
  },
  {
    why: "10 of before, 20 and 10 are: the last says what is carried, the first what comes back",
    parts: [{ tokens: 350 }, { tokens: 330 }],
    means: { carried: 10n },
    is: {
      parts: [
        ["usage 20", "carried_over 10"],
        ["usage 10", "carried_forward -40"],
      ],
      credits: 0n,
      balance: 0n,
      total: 0n,
    },
  },
])("$why", ({ parts, means, is }) => {
  expect(cents(closeTogether(carriedOnce(parts.map((part) => factsOf(part, means)))))).toEqual(is);
});

const anyParts = fc.array(fc.record({ tokens: fc.integer({ min: 0, max: 5000 }), ended: fc.boolean() }), {
  minLength: 1,
  maxLength: 5,
});
const anyMeans = fc.record({
  grants: fc.array(fc.bigInt({ min: 0n, max: 2000n }), { maxLength: 3 }),
  balance: fc.bigInt({ min: 0n, max: 5000n }),
  carried: fc.bigInt({ min: 0n, max: 49n }),
});

test("INV-40: an invoice of several periods has the lines of each, their sum, and takes no more credit than there is", () => {
  fc.assert(
    fc.property(anyParts, anyMeans, (parts, { grants, ...means }) => {
      const given = grants.map((amount, index) => grant(`g${index}`, amount));
      const facts = carriedOnce(parts.map((part) => factsOf(part, { ...means, grants: given })));
      const closed = closeTogether(facts);
      const { subtotal, draws, creditsApplied, balanceApplied, total } = closed.totals;
      const isCarried = ({ kind }: { kind: string }) => kind.startsWith("carried");
      // Each part has the lines that it has alone.
      const alone = facts.map((each) => closePeriod(each).lines.filter((line) => !isCarried(line)));
      expect(closed.parts.map(({ lines }) => lines.filter((line) => !isCarried(line)))).toEqual(alone);
      const lines = closed.parts.flatMap((part) => part.lines);
      expect(subtotal.amountMinor).toBe(lines.reduce((sum, { amount }) => sum + amount.amountMinor, 0n));
      expect(total.amountMinor).toBe(
        subtotal.amountMinor - creditsApplied.amountMinor - balanceApplied.amountMinor,
      );
      expect(balanceApplied.amountMinor <= means.balance).toBe(true);
      for (const { id, remaining } of given) {
        const drawn = draws
          .filter(({ grantId }) => grantId === id)
          .reduce((sum, { amount }) => sum + amount, 0n);
        expect(drawn <= remaining).toBe(true);
      }
      // A draw names a line of usage, by its place in the whole invoice.
      for (const { line } of draws) expect(lines[line]?.kind).toBe("usage");
    }),
  );
});

test("what is booked of them is owed once, and nothing of it stays unbilled", () => {
  fc.assert(
    fc.property(anyParts, anyMeans, (parts, { grants, ...means }) => {
      const given = grants.map((amount, index) => grant(`g${index}`, amount));
      const facts = carriedOnce(parts.map((part) => factsOf(part, { ...means, grants: given })));
      const { parts: closed, totals } = closeTogether(facts);
      const entries = entriesTogether(
        { invoiceId: "inv", customerId: "acme", currency: usd, issuedAt: closedAt },
        closed.map((part, place) => ({
          of: {
            ...{ subscriptionId: `sub_${place}`, period: january, revisionOf: () => 0, advance: [] },
            grantKinds: new Map(given.map(({ id, kind }) => [id, kind])),
          },
          closed: part,
        })),
        totals,
      );
      const sumOf = (code: string) =>
        entries
          .flatMap(({ postings }) => postings)
          .reduce(
            (sum, { debit, credit, amount }) =>
              sum + (debit.code === code ? amount : 0n) - (credit.code === code ? amount : 0n),
            0n,
          );
      expect(sumOf("1100")).toBe(totals.total.amountMinor * 10n ** 8n);
      const lines = closed.flatMap((part) => part.lines);
      const carried = lines
        .filter(({ kind }) => kind.startsWith("carried"))
        .reduce((sum, { amount }) => sum + amount.amountMinor, 0n);
      expect(sumOf("1110")).toBe(-carried * 10n ** 8n);
      expect(new Set(entries.map(({ sourceKey }) => sourceKey)).size).toBe(entries.length);
    }),
  );
});

test("a choice is for periods that end after it, and the last one counts", () => {
  const choices = [
    { effectiveAt: instant("2026-01-10T00:00:00Z"), invoicing: "consolidated" as const },
    { effectiveAt: february.start, invoicing: "separate" as const },
  ];
  expect(
    ["2026-01-10T00:00:00Z", "2026-01-10T00:00:00.001Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"].map(
      (end) => invoicingOf(choices, instant(end)),
    ),
  ).toEqual(["separate", "consolidated", "consolidated", "separate"]);
});

test("together their usage is as complete as that of the one that is furthest behind", () => {
  const complete = { completeUntil: january.end, knownBy: "none" as const, heldBackBy: null };
  const behind = {
    completeUntil: instant("2026-01-20T00:00:00Z"),
    knownBy: "reported" as const,
    heldBackBy: { source: "edge", meterKey: "tokens" },
  };
  expect(completenessTogether([])).toBeUndefined();
  expect(completenessTogether([complete, behind])).toEqual(behind);
  expect(completenessTogether([complete, { ...complete, knownBy: "estimated" }])).toEqual({
    ...complete,
    knownBy: "estimated",
  });
});
