import { Argument, type Command, Option } from "commander";
import { stringify } from "yaml";
import type { Schemas } from "../../sdk/index.ts";
import { ask } from "./ask.ts";
import { catalogPlanText, isNothingToDo } from "./catalog-plan-text.ts";
import { CommandFailed, exitCodes } from "./exit-code.ts";
import { readSource } from "./source-file.ts";
import { confirmed, paint, tableText } from "./terminal.ts";

const catalogFile = () =>
  new Argument("<file>", "a catalog in YAML, JSON, TypeScript or JavaScript; - for standard input");
const asJson = () => new Option("--json", "for programs");

/** `reckoner catalog …`: prices as code. */
export function addCatalogCommands(program: Command): void {
  const catalog = program.command("catalog").description("plans, prices and meters as code");
  catalog
    .command("plan")
    .description("show what publishing a file would change")
    .addArgument(catalogFile())
    .addOption(asJson())
    .option("--exit-code", `end with ${exitCodes.differs} when something would change`)
    .action(showPlan);
  catalog
    .command("apply")
    .description("publish a file: every plan that differs gets a new version, subscriptions keep theirs")
    .addArgument(catalogFile())
    .addOption(asJson())
    .option("--yes", "do not ask")
    .option("--dry-run", "only show what would change")
    .action(apply);
  catalog
    .command("show")
    .description("what is published: all plans, or one with its prices")
    .argument("[plan]", "the key of a plan")
    .addOption(new Option("--plan-version <number>", "another version than the newest").argParser(Number))
    .addOption(asJson().conflicts("yaml"))
    .option("--yaml", "as a catalog file, to begin with what is published")
    .action(show);
}

async function planOf(path: string) {
  const source = await readSource(path);
  const body = source.value as Schemas["CatalogDefinitionInput"];
  return { source, body, plan: await ask((reckoner) => reckoner.post("/v1/catalog/plan", { body }), source) };
}

async function showPlan(path: string, { json, exitCode }: { json?: true; exitCode?: true }): Promise<void> {
  const { plan } = await planOf(path);
  console.log(json ? JSON.stringify(plan, null, 2) : catalogPlanText(plan));
  if (exitCode && !isNothingToDo(plan)) process.exitCode = exitCodes.differs;
}

async function apply(path: string, options: { json?: true; yes?: true; dryRun?: true }): Promise<void> {
  const { json, yes, dryRun } = options;
  if (dryRun) return await showPlan(path, json ? { json } : {});
  const { source, body, plan } = await planOf(path);
  if (!json) console.log(catalogPlanText(plan));
  if (isNothingToDo(plan)) {
    console.log(
      json ? JSON.stringify(publishedOf(plan), null, 2) : "Nothing to do: this is what is published.",
    );
    return;
  }
  if (!yes) await requireConsent();
  const published = await ask((reckoner) => reckoner.put("/v1/catalog", { body }), source);
  if (json) {
    console.log(JSON.stringify(published, null, 2));
    return;
  }
  const made = published.plans.filter(({ change }) => change !== "unchanged");
  const versions = made.map(({ key, version }) => `${key} v${version}`).join(", ");
  console.log(paint("green", `Published${versions === "" ? "" : `: ${versions}`}.`));
}

/** What publishing answers when there is nothing to publish. */
const publishedOf = ({ plans }: Schemas["CatalogPlan"]): Schemas["CatalogChanges"] => ({
  plans: plans.map(({ key, version, change }) => ({ key, version, change })),
});

async function requireConsent(): Promise<void> {
  const answer = await confirmed("Publish this?");
  if (answer === true) return;
  const message =
    answer === null
      ? "nobody is here to be asked: say --yes to publish"
      : "not published: nothing was changed";
  throw new CommandFailed(message, exitCodes.refused);
}

interface ShowOptions {
  readonly planVersion?: number;
  readonly json?: true;
  readonly yaml?: true;
}

async function show(
  key: string | undefined,
  { planVersion: version, json, yaml }: ShowOptions,
): Promise<void> {
  if (key === undefined) {
    if (version !== undefined) throw new CommandFailed("--plan-version needs the key of a plan");
    const catalog = await ask((reckoner) => reckoner.get("/v1/catalog"));
    const text = yaml ? fileText(catalog) : plansText(catalog);
    console.log(json ? JSON.stringify(catalog, null, 2) : text);
    return;
  }
  const query = version === undefined ? {} : { version };
  const plan = await ask((reckoner) => reckoner.get("/v1/plans/{key}", { params: { path: { key }, query } }));
  if (json) console.log(JSON.stringify(plan, null, 2));
  else console.log(yaml ? stringify(definitionOf(plan)).trimEnd() : planText(plan));
}

/** As a file that says the same; lists that are empty need not be there. */
function fileText({
  meters,
  plans,
  cost_tables = [],
  features = [],
  dunning_policies = [],
}: Schemas["Catalog"]): string {
  const others = Object.entries({ cost_tables, features, dunning_policies }).filter(
    ([, list]) => list.length > 0,
  );
  return stringify({ meters, ...Object.fromEntries(others), plans: plans.map(definitionOf) }).trimEnd();
}

const definitionOf = ({ version: _version, ...definition }: Schemas["Plan"]) => definition;

function plansText({ plans, meters }: Schemas["Catalog"]): string {
  const rows = plans.map((plan) => [
    plan.key,
    String(plan.version),
    plan.name,
    plan.currency,
    intervalText(plan),
    String(plan.prices.length),
  ]);
  const table = tableText(["plan", "version", "name", "currency", "every", "prices"], rows);
  return `${table}\n\nMeters: ${meters.map(({ key }) => key).join(", ") || "none"}`;
}

function planText(plan: Schemas["Plan"]): string {
  const rows = plan.prices.map((price) => [
    price.key,
    price.type,
    price.name,
    price.product,
    termsText(price),
  ]);
  return [
    `${paint("bold", plan.name)} (${plan.key} v${plan.version}), ${plan.currency}, every ${intervalText(plan)}`,
    "",
    tableText(["price", "type", "name", "product", "terms"], rows),
  ].join("\n");
}

const intervalText = ({ interval: { unit, count } }: Schemas["Plan"]): string =>
  count === 1 ? unit : `${count} ${unit}s`;

/** All that a price says beyond its name, in one line. */
function termsText(price: Schemas["Plan"]["prices"][number]): string {
  const { key: _key, name: _name, product: _product, type: _type, ...terms } = price;
  return Object.entries(terms)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
