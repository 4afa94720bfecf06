import { type Command, Option } from "commander";
import type { Schemas } from "../../sdk/index.ts";
import { ask } from "./ask.ts";
import { CommandFailed } from "./exit-code.ts";

type StripeEvent = Schemas["StripeEvent"];

const asJson = () => new Option("--json", "for programs");

/** `reckoner stripe-events …`: what Stripe has told us and could not be applied. */
export function addStripeEventCommands(program: Command): void {
  const events = program
    .command("stripe-events")
    .description("what Stripe has told us and could not be applied");
  events
    .command("list")
    .description("list those that were set aside, the newest first")
    .option("--waiting", "those that are still tried, instead")
    .addOption(asJson())
    .action(async ({ waiting, json }: { waiting?: true; json?: true }) => {
      const found = await all(waiting ? "waiting" : "parked");
      print(found, json, "Nothing is set aside.");
    });
  events
    .command("replay")
    .description("apply those that were set aside again")
    .argument("[event...]", "Stripe's ids")
    .option("--all", "all that are set aside")
    .addOption(asJson())
    .action(async (ids: string[], { all: every, json }: { all?: true; json?: true }) => {
      if (ids.length > 0 === (every === true)) throw new CommandFailed("name events, or say --all");
      const wanted = every ? (await all("parked")).map(({ id }) => id) : ids;
      const replayed: StripeEvent[] = [];
      for (const id of wanted) {
        const params = { path: { id } };
        replayed.push(await ask((reckoner) => reckoner.post("/v1/stripe-events/{id}/replay", { params })));
      }
      print(replayed, json, "Nothing was set aside.");
    });
}

async function all(state: "parked" | "waiting"): Promise<StripeEvent[]> {
  const found: StripeEvent[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { state, limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const page = await ask((reckoner) => reckoner.get("/v1/stripe-events", { params: { query } }));
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  return found;
}

function print(events: readonly StripeEvent[], json: true | undefined, nothing: string): void {
  const lines = events.map(
    ({ id, type, state, attempts, last_error: error }) =>
      `${id}  ${type}  ${state} after ${attempts} attempts${error === null ? "" : `: ${error}`}`,
  );
  const text = lines.length === 0 ? nothing : lines.join("\n");
  process.stdout.write(`${json ? JSON.stringify({ data: events }, null, 2) : text}\n`);
}
