import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ledgerDocument } from "../../../src/domain/ledger/document/ledger-document.ts";
import { netDebits } from "../../../src/domain/ledger/document/trial-balance-section.ts";
import * as entries from "../../../src/domain/ledger/entries/index.ts";
import { type WorkedExample, workedExamples } from "../../../src/domain/ledger/examples/index.ts";
import { type AccountCode, chartOfAccounts } from "../../../src/domain/ledger/index.ts";
import { currency } from "../../../src/domain/money/index.ts";
import { exact, usd, written } from "./facts.ts";

test.each(workedExamples.map((example, index) => ({ position: index + 1, ...example })))(
  "example $position, $event: $story",
  ({ entry, postings }) => {
    expect(written(entry)).toEqual(postings);
  },
);

test("docs/ledger.md is what the code says", () => {
  const committed = readFileSync(new URL("../../../docs/ledger.md", import.meta.url), "utf8");
  expect(committed, "run: node src/cli/write-ledger-doc.ts").toBe(ledgerDocument());
});

test("every link in docs/ledger.md leads to a heading", () => {
  const document = ledgerDocument();
  const anchors = [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...document.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
});

test("every account of the chart is in an example", () => {
  const used = new Set(
    workedExamples.flatMap(({ entry }) =>
      (entry?.postings ?? []).flatMap(({ debit, credit }) => [debit.code, credit.code]),
    ),
  );
  expect(Object.keys(chartOfAccounts).filter((code) => !used.has(code as AccountCode))).toEqual([]);
});

test("every event has an example, and not only one that sets a scene", () => {
  // What the entries are made of, and the hold that goes with a dispute.
  const noEvents = ["burnPostings", "disputeFreeze", "netInvoice", "sharesOfParts", "sharesOfTax"];
  const examples = new URL("../../../src/domain/ledger/examples/", import.meta.url);
  const text = readdirSync(examples).map((file) => readFileSync(new URL(file, examples), "utf8"));
  const events = Object.keys(entries).filter((name) => !noEvents.includes(name));
  expect(events.filter((name) => !text.some((source) => source.includes(`${name}(`)))).toEqual([]);
  const kinds = (examples: readonly WorkedExample[]) => new Set(examples.map(({ entry }) => entry?.kind));
  expect(kinds(workedExamples.filter(({ isSetting }) => !isSetting))).toEqual(kinds(workedExamples));
});

test("each example has a source key, and a kind and cause, of its own", () => {
  const keys = workedExamples.map(({ entry }) => entry?.sourceKey);
  const causes = workedExamples.map(({ entry }) => `${entry?.kind} ${entry?.cause.type} ${entry?.cause.id}`);
  expect(new Set(keys).size).toBe(workedExamples.length);
  expect(new Set(causes).size).toBe(workedExamples.length);
});

test("only entries of balance transactions touch the Stripe balance, each once", () => {
  const touching = workedExamples.filter(({ entry }) =>
    entry?.postings.some(({ debit, credit }) => debit.code === "1000" || credit.code === "1000"),
  );
  const causes = touching.map(({ entry }) => entry?.cause);
  expect(new Set(causes.map((cause) => cause?.type))).toEqual(new Set(["stripe_balance_transaction"]));
  expect(new Set(causes.map((cause) => cause?.id)).size).toBe(touching.length);
});

test("in the end everything that only passes through is at zero, and gifts equal their offset", () => {
  const dollars = netDebits(workedExamples, usd);
  for (const code of ["1010", "1030", "1120", "2005", "2400", "9000", "9100"] as const) {
    expect(dollars.get(code), code).toBe(0n);
  }
  expect(dollars.get("1300")).toBe(exact("200"));
  expect(dollars.get("2010")).toBe(exact("-200"));
  expect([...netDebits(workedExamples, currency("eur")).values()].filter((net) => net !== 0n)).toEqual([]);
});

test.each(["usd", "eur", "jpy", "kwd"])("in %s debits equal credits", (code) => {
  const net = [...netDebits(workedExamples, currency(code)).values()].reduce((sum, one) => sum + one, 0n);
  expect(net).toBe(0n);
});
