import { type AccountRef, accountDimensions } from "../account-ref.ts";
import { chartAccount } from "../chart-of-accounts.ts";
import { type Area, areas, type WorkedExample } from "../examples/index.ts";
import type { Posting } from "../journal-entry.ts";
import { accountText, ledgerAmountText } from "../posting-text.ts";

/** An example with its place in the history, from 1. */
type NumberedExample = WorkedExample & { readonly position: number };

const allAreas = Object.keys(areas) as Area[];

function examplesOf(area: Area, examples: readonly WorkedExample[]): NumberedExample[] {
  return examples
    .map((example, index) => ({ ...example, position: index + 1 }))
    .filter((example) => example.area === area);
}

/** Every event in a line, with a link to its example. */
export function atAGlance(examples: readonly WorkedExample[]): string {
  return [
    "## The events at a glance",
    "",
    "| Event | Debit → credit | Example |",
    "| --- | --- | --- |",
    ...allAreas.flatMap((area) => [
      `| **${areas[area].title}** | | |`,
      ...examplesOf(area, examples)
        .filter(({ isSetting }) => !isSetting)
        .map(glanceLine),
    ]),
  ].join("\n");
}

function glanceLine(example: NumberedExample): string {
  const moves = new Set(example.entry?.postings.map(({ debit, credit }) => `${debit.code} → ${credit.code}`));
  return `| ${example.event} | ${[...moves].join(", ")} | [${example.position}](#${anchorOf(example)}) |`;
}

function headingOf({ position, event }: NumberedExample): string {
  return `${position}. ${event}`;
}

/** As GitHub makes it from a heading. */
function anchorOf(example: NumberedExample): string {
  return headingOf(example)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}

/** All examples, with what set the scene for them. */
export function examplesByArea(examples: readonly WorkedExample[]): string {
  return [
    "## The entries, by example",
    "",
    "Tests post these entries to a real database. The numbers say in which order: first a quarter with the customer acme, then what happens to brook, cedar and the others. Everything is in US dollars unless it says otherwise.",
    ...allAreas.flatMap((area) => [
      "",
      `### ${areas[area].title}`,
      "",
      areas[area].introduction,
      ...withSettingsTogether(examplesOf(area, examples)).flatMap((group) =>
        group[0]?.isSetting ? settingLines(group) : group.flatMap(exampleLines),
      ),
    ]),
  ].join("\n");
}

/** Neighbours that set a scene in one group, each other example in its own. */
function withSettingsTogether(examples: readonly NumberedExample[]): NumberedExample[][] {
  const groups: NumberedExample[][] = [];
  for (const example of examples) {
    const group = groups.at(-1);
    if (example.isSetting && group?.[0]?.isSetting) group.push(example);
    else groups.push([example]);
  }
  return groups;
}

function exampleLines(example: NumberedExample): string[] {
  const { story, entry } = example;
  return [
    "",
    `#### ${headingOf(example)}`,
    "",
    story,
    "",
    "| Debit | Credit | Amount |",
    "| --- | --- | ---: |",
    ...(entry?.postings ?? []).map(
      ({ debit, credit, amount }) =>
        `| ${namedAccount(debit)} | ${namedAccount(credit)} | ${ledgerAmountText(amount, debit.currency)} |`,
    ),
    "",
    `\`${entry?.kind}\`, once for ${entry?.cause.type.replaceAll("_", " ").replace("stripe", "Stripe")} \`${entry?.cause.id}\`.`,
  ];
}

function settingLines(examples: readonly NumberedExample[]): string[] {
  return [
    "",
    "| No. | Before that | Debit | Credit | Amount |",
    "| ---: | --- | --- | --- | ---: |",
    ...examples.flatMap(({ position, event, story, entry }) =>
      (entry?.postings ?? []).map((posting, line) => {
        const about = line === 0 ? `${position} | ${event}. ${story}` : " | ";
        return `| ${about} | ${shortPosting(posting)} |`;
      }),
    ),
  ];
}

function shortPosting({ debit, credit, amount }: Posting): string {
  return [accountText(debit), accountText(credit), ledgerAmountText(amount, debit.currency)].join(" | ");
}

function namedAccount(ref: AccountRef): string {
  const values = accountDimensions(ref).map(([, value]) => value);
  const name = `${ref.code} ${chartAccount(ref.code).name}`;
  return values.length === 0 ? name : `${name} (${values.join(", ")})`;
}
