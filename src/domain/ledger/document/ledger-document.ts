import {
  type AccountCode,
  type ChartAccount,
  chartAccount,
  chartOfAccounts,
  normalSideOf,
} from "../chart-of-accounts.ts";
import { workedExamples } from "../examples/index.ts";
import { atAGlance, examplesByArea } from "./example-sections.ts";
import { accountingTreatment, howToRead, introduction, rules, whatMustAgree } from "./prose.ts";
import { trialBalanceSection } from "./trial-balance-section.ts";

/** docs/ledger.md, made from the chart and the worked examples, so that it says what the code does. */
export function ledgerDocument(): string {
  return [
    introduction,
    howToRead,
    chartSection(),
    backToZeroSection(),
    whatMustAgree,
    rules,
    atAGlance(workedExamples),
    examplesByArea(workedExamples),
    trialBalanceSection(workedExamples),
    accountingTreatment,
  ]
    .join("\n\n")
    .concat("\n");
}

const codes = Object.keys(chartOfAccounts) as AccountCode[];

function chartSection(): string {
  return [
    "## Chart of accounts",
    "",
    "One set per currency. *Bounded*: the balance never goes below zero. *Statement*: every line is kept, numbered without gaps.",
    "",
    "| Code | Account | Class | Increased by | One account per | Bounded | Statement |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...codes.map((code) => chartLine(code, chartAccount(code))),
  ].join("\n");
}

function chartLine(code: AccountCode, account: ChartAccount): string {
  const cells = [
    code,
    account.name,
    account.class.replace("_", " "),
    account.class === "suspense" ? "either" : normalSideOf(account.class),
    account.dimensions.join(", ") || "currency",
    account.bounded ? "yes" : "",
    account.keepHistory ? "yes" : "",
  ];
  return `| ${cells.join(" | ")} |`;
}

function backToZeroSection(): string {
  const lines = codes.flatMap((code) => {
    const { name, dimensions, zeroWhen } = chartAccount(code);
    return zeroWhen === undefined
      ? []
      : [`| ${code} ${name} | ${dimensions.at(-1) ?? "currency"} | ${zeroWhen} |`];
  });
  return [
    "## Accounts that come back to zero",
    "",
    "Money only passes through these. What stays in one longer than its cause explains is a mistake, somewhere; the ledger's checks (`npm run invariants`) ask for the age of what is in clearing and suspense.",
    "",
    "| Account | Of each | Is zero when |",
    "| --- | --- | --- |",
    ...lines,
  ].join("\n");
}
