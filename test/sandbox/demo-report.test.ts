import { expect, test } from "vitest";
import { demoRun } from "../../src/sandbox/demo/demo-run.ts";
import { DemoOptionsError, parseDemoOptions, standardDemo } from "../../src/sandbox/demo/options.ts";
import { progressBar } from "../../src/sandbox/demo/progress-bar.ts";
import { report } from "../../src/sandbox/demo/report.ts";
import type { DemoResult } from "../../src/sandbox/demo/result.ts";
import { table } from "../../src/sandbox/demo/table.ts";

test.each([
  { args: [], options: { months: 1, customers: 12 } },
  { args: ["--months", "3", "--customers", "500"], options: { months: 3, customers: 500 } },
  { args: ["--customers=20"], options: { months: 1, customers: 20 } },
  { args: ["--help"], options: null },
])("$args asks for $options", ({ args, options }) => {
  expect(parseDemoOptions(args)).toEqual(options);
});

test.each([
  { args: ["--months", "0"], says: '--months must be a whole number from 1 to 12 (it is "0")' },
  { args: ["--months", "1.5"], says: '(it is "1.5")' },
  { args: ["--customers", "11"], says: "--customers must be a whole number from 12 to 5000" },
  { args: ["--customer", "20"], says: "Unknown option '--customer'" },
  { args: ["twelve"], says: "Unexpected argument 'twelve'" },
])("$args is refused: $says", ({ args, says }) => {
  expect(() => parseDemoOptions(args)).toThrow(DemoOptionsError);
  expect(() => parseDemoOptions(args)).toThrow(says);
});

test("demos of different sizes share no names", () => {
  const standard = demoRun(standardDemo);
  const larger = demoRun({ months: 1, customers: 13 });
  const ids = new Set(standard.customers.map(({ id }) => id));
  expect([standard.name, larger.name]).toEqual(["demo", "demo-1x13"]);
  expect(larger.customers.filter(({ id }) => ids.has(id))).toEqual([]);
  expect(larger.customers.map(({ id }) => id)).toContain(larger.cast.cardFails);
});

test("columns are aligned", () => {
  expect(table(["name", ">amount"], [["a", "1.00"], null, ["all of it", "12.00"]]).split("\n")).toEqual([
    "  name       amount",
    "  ─────────────────",
    "  a            1.00",
    "  ─────────────────",
    "  all of it   12.00",
  ]);
});

test("the bar fills from none to all", () => {
  expect([0, 0.5, 1, 2].map(progressBar)).toEqual([
    `${"░".repeat(24)}   0 %`,
    `${"█".repeat(12)}${"░".repeat(12)}  50 %`,
    `${"█".repeat(24)} 100 %`,
    `${"█".repeat(24)} 100 %`,
  ]);
});

const ada: DemoResult["customers"][number] = {
  id: "ada-moreau",
  plan: "hobby",
  state: "active",
  inputTokens: 561_506n,
  outputTokens: 7_726n,
  invoices: [],
  accounting: {
    customer: "ada-moreau",
    accepted: 266,
    conflicting: 1,
    quarantined: 0,
    invoiced: 266,
    not_invoiced: 0,
    invoiced_more_than_once: 0,
    invoices: 2,
    archived_before: null,
  },
};

const result: DemoResult = {
  customers: [ada],
  trialBalance: {
    data: [
      {
        currency: "usd",
        code: "1000",
        name: "Cash",
        debit_minor: "123456.5",
        credit_minor: "0",
        balance_minor: "123456.5",
      },
    ],
    totals: [{ currency: "usd", debit_minor: "123456.5", credit_minor: "123456.5", balanced: true }],
  },
};
const links = {
  apiUrl: "http://localhost:8155",
  temporalUiUrl: "http://localhost:8255",
  signInKey: "rk_made_here",
};
const shown = (changed: Partial<DemoResult> = {}) =>
  report({ ...result, ...changed }, demoRun(standardDemo), links);

test("the report says what went in, what came of it, and where to look", () => {
  for (const part of [
    "ada-moreau  hobby    561,506       7,726         0  0.00 USD  0.00 USD  active",
    "9,291 sent; 266 accepted, 464 duplicates, 1 conflicts",
    "32 came late but in the grace, 43 after the close",
    "All accepted events are on 2 invoices, each exactly once.",
    "1000     Cash  1,234.565      0.000         1,234.565",
    "debits = credits",
    "http://localhost:8155/console/customers/grove-analytics#key=rk_made_here",
    "http://localhost:8255/namespaces/default/workflows?query=CustomerId%3D%22grove-analytics%22",
  ]) {
    expect(shown()).toContain(part);
  }
});

test("the report hides nothing that is wrong", () => {
  const accounting = { ...ada.accounting, invoiced: 263, not_invoiced: 1, invoiced_more_than_once: 2 };
  expect(shown({ customers: [{ ...ada, accounting }] })).toContain(
    "NOT EACH EXACTLY ONCE: 263 are on one of 2 invoices, 1 on none, 2 on several.",
  );
  const [total] = result.trialBalance.totals;
  if (total === undefined) throw new Error("there is a total");
  const totals = [{ ...total, credit_minor: "123456.49999999", balanced: false }];
  expect(shown({ trialBalance: { ...result.trialBalance, totals } })).toContain("NOT BALANCED");
});
