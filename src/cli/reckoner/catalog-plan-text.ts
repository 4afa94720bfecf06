import { isDeepStrictEqual } from "node:util";
import type { Schemas } from "../../sdk/index.ts";
import { paint } from "./terminal.ts";

type CatalogPlan = Schemas["CatalogPlan"];
type PlannedPlan = CatalogPlan["plans"][number];
type Difference = Schemas["CatalogDifference"];

/** Whether publishing would change anything. */
export const isNothingToDo = (plan: CatalogPlan): boolean =>
  partsOf(plan).every(({ change }) => change === "unchanged");

const partsOf = ({ meters, cost_tables, features, dunning_policies, plans }: CatalogPlan) => [
  ...meters,
  ...cost_tables,
  ...features,
  ...dunning_policies,
  ...plans,
];

/** What would change, for people. */
export function catalogPlanText(plan: CatalogPlan): string {
  const { meters, cost_tables, features, dunning_policies, plans, left_out } = plan;
  return [
    ...section("Meters", meters.flatMap(meterLines)),
    ...section("Cost tables", cost_tables.flatMap(costTableLines)),
    ...section("Features", features.flatMap(keyedLines)),
    ...section("Dunning policies", dunning_policies.flatMap(keyedLines)),
    "Plans",
    ...plans.flatMap(planLines),
    ...left_out.map(({ key, version, subscriptions }) =>
      paint(
        "dim",
        `    ${key} v${version} is not in the file and stays as it is${standingText(subscriptions)}`,
      ),
    ),
    "",
    summaryText(plan),
  ].join("\n");
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines, ""];

function costTableLines({ key, change, new_versions }: CatalogPlan["cost_tables"][number]): string[] {
  if (change === "unchanged") return [];
  const since = new_versions.map((at) => `      + costs from ${at}`);
  const title = change === "new" ? paint("green", `  + ${key}  new`) : paint("yellow", `  ~ ${key}`);
  return [title, ...since, "      What was used before is priced as it was."];
}

function keyedLines({ key, change, differences }: CatalogPlan["features"][number]): string[] {
  if (change === "unchanged") return [];
  if (change === "new") return [paint("green", `  + ${key}  new`)];
  return [paint("yellow", `  ~ ${key}`), ...differences.flatMap(differenceLines)];
}

function meterLines({ key, change, version, differences }: CatalogPlan["meters"][number]): string[] {
  if (change === "unchanged") return [];
  if (change === "new") return [paint("green", `  + ${key}  new`)];
  const note = "      Periods that have begun are measured by the version before.";
  return [
    paint("yellow", `  ~ ${key}  v${version - 1} → v${version}`),
    ...differences.flatMap(differenceLines),
    note,
  ];
}

function planLines(plan: PlannedPlan): string[] {
  const { key, name, change, version, current_version: current, differences, currency } = plan;
  const title = `${key}  ${name}, ${currency}`;
  if (change === "new") return [paint("green", `  + ${title}  new, v${version}`)];
  if (change === "unchanged") return [paint("dim", `    ${title}  v${version}, unchanged`)];
  return [
    paint("yellow", `  ~ ${title}  v${current} → v${version}`),
    ...differences.flatMap(differenceLines),
    `      ${movementText(plan)}`,
  ];
}

function movementText({ version, subscriptions }: PlannedPlan): string {
  if (subscriptions.length === 0) return `No subscription is on it; new ones get v${version}.`;
  const counts = subscriptions.map(({ version: on, count }) => `${count} on v${on}`).join(", ");
  return `Subscriptions keep their version until they are moved: ${counts}. New ones get v${version}.`;
}

function standingText(subscriptions: PlannedPlan["subscriptions"]): string {
  if (subscriptions.length === 0) return "";
  return ` (subscriptions: ${subscriptions.map(({ version, count }) => `${count} on v${version}`).join(", ")})`;
}

function differenceLines({ path, change, before, after }: Difference): string[] {
  switch (change) {
    case "added":
      return valueLines(`      + ${path}`, after).map((line) => paint("green", line));
    case "removed":
      return valueLines(`      - ${path}`, before).map((line) => paint("red", line));
    case "reordered":
      return [`      ~ ${path}: order ${shown(before)} → ${shown(after)}`];
    default:
      return [`      ~ ${path}: ${paint("red", shown(before))} → ${paint("green", shown(after))}`];
  }
}

/** A whole part, such as a price, with a line for each of its fields. */
function valueLines(title: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [`${title}: ${shown(value)}`];
  const fields = Object.entries(value).filter(([, field]) => !isDeepStrictEqual(field, {}));
  return [title, ...fields.map(([name, field]) => `          ${name}: ${shown(field)}`)];
}

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function summaryText(plan: CatalogPlan): string {
  const count = (wanted: PlannedPlan["change"]) =>
    partsOf(plan).filter(({ change }) => change === wanted).length;
  return paint("bold", `${count("new")} new, ${count("changed")} changed, ${count("unchanged")} unchanged.`);
}
