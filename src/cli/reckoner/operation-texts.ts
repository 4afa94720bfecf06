import type { Schemas } from "../../sdk/index.ts";
import { paint, tableText } from "./terminal.ts";

/** How operations look to people. */

const instantText = (text: string) => text.slice(0, 16).replace("T", " ");

/** What a run is about, by its most telling attribute. */
function aboutOf({ attributes }: Schemas["Run"]): string {
  const known = ["InvoiceId", "SubscriptionId", "CustomerId", "ClockId"].map((name) => attributes[name]);
  return String(known.find((value) => value !== undefined) ?? "");
}

function standingOf({
  status,
  needs_attention: isParked,
  error_class: errorClass,
  attributes,
}: Schemas["Run"]) {
  if (isParked) return `parked: ${errorClass ?? "unknown"}`;
  return String(attributes.BillingStatus ?? status);
}

/** Runs as a table. */
export function runsText(runs: readonly Schemas["Run"][], total: number): string {
  if (runs.length === 0) return "No runs.";
  const rows = runs.map((run) => [
    run.workflow_id,
    run.type,
    standingOf(run),
    aboutOf(run),
    instantText(run.started_at),
  ]);
  const table = tableText(["run", "type", "standing", "about", "started"], rows);
  return total > runs.length ? `${table}\n\n${runs.length} of ${total}.` : table;
}

/** A run with what it waits for. */
export function runText(run: Schemas["RunDetails"]): string {
  const steps = run.pending_steps.map((step) => [
    step.activity,
    String(step.attempt),
    step.last_error_class ?? "",
    step.next_attempt_at === null ? "being tried" : instantText(step.next_attempt_at),
  ]);
  const attributes = Object.entries(run.attributes).map(([name, value]) => [name, String(value)]);
  return [
    `${paint("bold", run.workflow_id)} (${run.type}), ${standingOf(run)}, since ${instantText(run.started_at)}`,
    ...(run.summary === null ? [] : [run.summary]),
    "",
    run.details ?? "What it says of itself is not known: no worker is there to say it.",
    ...(steps.length === 0
      ? []
      : ["", tableText(["under way", "attempt", "failed last with", "next"], steps)]),
    ...(run.task_attempts > 2
      ? [
          "",
          paint(
            "red",
            `Its code was tried ${run.task_attempts} times in vain: see its history in the Temporal UI.`,
          ),
        ]
      : []),
    ...(attributes.length === 0 ? [] : ["", tableText(["attribute", "value"], attributes)]),
  ].join("\n");
}

export function queuesText(queues: readonly Schemas["Queue"][]): string {
  const rows = queues.map((queue) => [
    queue.queue,
    queue.name,
    queue.paused ? "paused" : "running",
    String(queue.waiting),
    String(queue.oldest_waits_seconds),
    queue.reason ?? "",
  ]);
  return tableText(["queue", "in Temporal", "standing", "waiting", "oldest, seconds", "reason"], rows);
}

/** What would be done, and to what. */
export function planText(action: string, { targets, runs, queue }: Schemas["OperationPlan"]): string {
  const head = `${paint("bold", action)} would be done to ${targets} ${queue === null ? "runs" : "queue"}:`;
  return `${head}\n\n${queue === null ? runsText(runs, targets) : queuesText([queue])}`;
}

/** What came of an operation: in short, and each refusal. */
export function outcomeText({
  id,
  action,
  done,
  refused,
  pending,
  outcomes,
}: Schemas["OperationDetails"]): string {
  const refusals = outcomes
    .filter(({ outcome }) => outcome === "refused")
    .map(({ target, code, detail }) => [target, code ?? "", detail ?? ""]);
  const left = pending === 0 ? "" : `, ${pending} left: reckoner operations continue ${id}`;
  return [
    `${action} ${id}: ${done} done, ${refused} refused${left}.`,
    ...(refusals.length === 0 ? [] : ["", tableText(["refused", "code", "because"], refusals)]),
  ].join("\n");
}

export function recordText(operations: readonly Schemas["Operation"][]): string {
  if (operations.length === 0) return "Nobody has done anything yet.";
  const rows = operations.map((each) => [
    instantText(each.requested_at),
    each.id,
    each.action,
    each.requested_by,
    `${each.done}/${each.targets}`,
    each.reason,
  ]);
  return tableText(["when", "operation", "action", "by", "done", "reason"], rows);
}
