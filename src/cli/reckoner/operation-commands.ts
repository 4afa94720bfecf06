import { Argument, type Command, Option } from "commander";
import type { Schemas } from "../../sdk/index.ts";
import { progressOf } from "../progress.ts";
import { ask } from "./ask.ts";
import { CommandFailed, exitCodes } from "./exit-code.ts";
import { outcomeText, planText, queuesText, recordText, runsText, runText } from "./operation-texts.ts";
import { filterOptions, queryOf, type RunFilters } from "./run-filters.ts";
import { confirmed } from "./terminal.ts";

type Request = Schemas["OperationRequestInput"];
interface Doing {
  readonly reason: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

const queues = ["interactive", "cycles", "stripe"];
const signals = ["invoiceChanged", "paymentMethodUpdated"];
const asJson = () => new Option("--json", "for programs");

/** `reckoner operations …`: how operators look at runs and queues, and act on them. */
export function addOperationCommands(program: Command): void {
  const operations = program
    .command("operations")
    .description("runs that need attention, and what can be done about them");
  lookingCommands(operations);
  const actions = {
    retry: "try a parked step again, now",
    skip: "go on without a parked step, where the run can",
    reset: "go back to before the last step, and do it again under the same keys",
    cancel: "end runs; what they have done stays",
  } as const;
  for (const [action, description] of Object.entries(actions)) {
    doing(
      withFilters(operations.command(action).description(description).argument("[run...]", "workflow ids")),
    ).action((runs: string[], options: Doing & RunFilters) =>
      operate({ action: action as Request["action"], ...subjectOf(runs, options) }, options),
    );
  }
  const signal = operations.command("signal").description("tell runs to read again what is so");
  signal.addArgument(new Argument("<signal>").choices(signals)).argument("[run...]", "workflow ids");
  doing(withFilters(signal)).action((name: Request["signal"], runs: string[], options: Doing & RunFilters) =>
    operate({ action: "signal", signal: name, ...subjectOf(runs, options) } as Request, options),
  );
  for (const [name, action, description] of [
    [
      "pause-queue",
      "pause_queue",
      "hold back the activities of a task queue; workflows go on, and ask for them",
    ],
    ["unpause-queue", "unpause_queue", "let the activities of a task queue go again"],
  ] as const) {
    const command = operations.command(name).description(description);
    doing(command.addArgument(new Argument("<queue>").choices(queues))).action(
      (queue: Request["queue"], options: Doing) => operate({ action, queue } as Request, options),
    );
  }
}

function lookingCommands(operations: Command): void {
  withFilters(operations.command("list").description("list runs, the newest first"))
    .addOption(new Option("--limit <number>", "how many").argParser(Number).default(50))
    .addOption(asJson())
    .action(async ({ limit, json, ...filters }: RunFilters & { limit: number; json?: true }) => {
      const query = { limit, query: queryOf(filters) ?? "ExecutionStatus = 'Running'" };
      const answer = await ask((reckoner) => reckoner.get("/v1/operations/runs", { params: { query } }));
      print(json, answer, () => runsText(answer.data, answer.total));
    });
  operations
    .command("show")
    .description("a run: what it waits for, and why")
    .argument("<run>", "its workflow id, such as cycle/sub_1/2026-01-31T00:00:00.000Z")
    .addOption(asJson())
    .action(async (id: string, { json }: { json?: true }) => {
      const params = { query: { workflow_id: id } };
      const run = await ask((reckoner) => reckoner.get("/v1/operations/run", { params }));
      print(json, run, () => runText(run));
    });
  operations
    .command("queues")
    .description("the task queues: what waits, and which are paused")
    .addOption(asJson())
    .action(async ({ json }: { json?: true }) => {
      const answer = await ask((reckoner) => reckoner.get("/v1/operations/queues"));
      print(json, answer, () => queuesText(answer.data));
    });
  operations
    .command("record")
    .description("what operators did: who, what, why; one of them with all its targets")
    .argument("[operation]")
    .addOption(asJson())
    .action(record);
  operations
    .command("continue")
    .description("go on with an operation that was broken off")
    .argument("<operation>")
    .addOption(asJson())
    .action(async (id: string, { json }: { json?: true }) => {
      const params = { path: { id } };
      const begun = await ask((reckoner) => reckoner.get("/v1/operations/{id}", { params }));
      finish(await toTheEnd(begun), json);
    });
}

async function record(id: string | undefined, { json }: { json?: true }): Promise<void> {
  if (id === undefined) {
    const answer = await ask((reckoner) =>
      reckoner.get("/v1/operations", { params: { query: { limit: 50 } } }),
    );
    return print(json, answer, () => recordText(answer.data));
  }
  const operation = await ask((reckoner) =>
    reckoner.get("/v1/operations/{id}", { params: { path: { id } } }),
  );
  print(json, operation, () => `${recordText([operation])}\n\n${outcomeText(operation)}`);
}

const withFilters = (command: Command) =>
  filterOptions().reduce((all, option) => all.addOption(option), command);

const doing = (command: Command) =>
  command
    .requiredOption("--reason <text>", "why; it is kept for good")
    .option("--dry-run", "only list what it would be done to")
    .option("--yes", "do not ask")
    .addOption(asJson());

function subjectOf(runs: readonly string[], filters: RunFilters): Pick<Request, "runs" | "query"> {
  const query = queryOf(filters);
  if (runs.length > 0 && query !== undefined) throw new CommandFailed("name runs or find them, not both");
  if (runs.length > 0) return { runs: [...runs] };
  if (query === undefined)
    throw new CommandFailed("name runs, or say how to find them: --customer, --query, …");
  return { query };
}

/** Shows what it would be done to, asks, and does it. */
async function operate(
  request: Omit<Request, "reason">,
  { reason, dryRun, yes, json }: Doing,
): Promise<void> {
  const body: Request = { ...request, reason };
  const plan = await ask((reckoner) => reckoner.post("/v1/operations/plan", { body }));
  if (dryRun || !json) print(json, plan, () => planText(request.action, plan));
  if (dryRun) return;
  if (!yes) await requireConsent();
  const begun = await ask((reckoner) => reckoner.post("/v1/operations", { body }));
  finish(await toTheEnd(begun), json);
}

/** A hundred targets at a time; says how far it is. What cannot be reached now is left, and can be continued. */
async function toTheEnd(begun: Schemas["OperationDetails"]): Promise<Schemas["OperationDetails"]> {
  const say = progressOf("runs");
  let operation = begun;
  while (operation.pending > 0) {
    const params = { path: { id: operation.id } };
    operation = await ask((reckoner) => reckoner.post("/v1/operations/{id}/continue", { params }));
    say(operation.targets - operation.pending, operation.targets);
  }
  return operation;
}

function finish(operation: Schemas["OperationDetails"], json: true | undefined): void {
  print(json, operation, () => outcomeText(operation));
  if (operation.refused > 0) process.exitCode = exitCodes.refused;
}

function print(json: true | undefined, answer: object, text: () => string): void {
  console.log(json ? JSON.stringify(answer, null, 2) : text());
}

async function requireConsent(): Promise<void> {
  const answer = await confirmed("Do this?");
  if (answer === true) return;
  const message = answer === null ? "nobody is here to be asked: say --yes" : "nothing was done";
  throw new CommandFailed(message, exitCodes.refused);
}
