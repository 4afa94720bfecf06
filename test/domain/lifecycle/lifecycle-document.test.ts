import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  commandTable,
  firstStatuses,
  isTerminal,
  type SubscriptionCommandKind,
  statusTransitions,
  subscriptionCommands,
  subscriptionStatuses,
} from "../../../src/domain/lifecycle/index.ts";

const text = readFileSync(new URL("../../../docs/lifecycle.md", import.meta.url), "utf8");

const steps = [
  ...firstStatuses.map((status) => `[*] --> ${status}`),
  ...subscriptionStatuses.flatMap((from) => statusTransitions[from].map((to) => `${from} --> ${to}`)),
  ...subscriptionStatuses.filter(isTerminal).map((status) => `${status} --> [*]`),
];

test("the diagram has the steps of the domain's table, and no other", () => {
  const [, diagram = ""] = /stateDiagram-v2\n([^`]+)```/.exec(text) ?? [];
  const drawn = diagram.trim().split(/\n\s*/);
  expect(drawn.toSorted()).toEqual(steps.toSorted());
});

test("every state is explained", () => {
  for (const status of subscriptionStatuses)
    expect(text).toMatch(new RegExp(`^\\| \`${status}\` \\| [A-Z]`, "m"));
});

test("the table of commands says what each state allows, and with which code it refuses", () => {
  const [header = "", , ...rows] = text
    .slice(text.indexOf("| state | change_plan"))
    .split("\n\n")[0]
    ?.split("\n") ?? [""];
  const cellsOf = (row: string) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [, ...columns] = cellsOf(header).map((names) => names.split(", ") as SubscriptionCommandKind[]);
  expect(columns.flat().toSorted()).toEqual([...subscriptionCommands].toSorted());
  const said = rows.map((row) => {
    const [status = "", ...cells] = cellsOf(row).map((cell) => cell.replaceAll("`", ""));
    const kinds = cells.flatMap((cell, index) =>
      (columns[index] ?? []).map((kind) => [kind, cell === "yes" ? "allowed" : cell]),
    );
    return [status, Object.fromEntries(kinds)];
  });
  expect(Object.fromEntries(said)).toEqual(commandTable);
});
