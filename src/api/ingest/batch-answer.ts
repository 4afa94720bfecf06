import type { IngestOutcome } from "../../db/usage/usage-ingest.ts";
import { eventText } from "./event-text.ts";

/** Which results are listed; the numbers are of all. */
export type ListedResults = "all" | "problems";

/** How many events had which outcome. */
export type OutcomeCounts = Readonly<Record<IngestOutcome["status"], number>>;

export function outcomeCounts(outcomes: readonly IngestOutcome[]): OutcomeCounts {
  const counts = { accepted: 0, duplicate: 0, conflict: 0, invalid: 0, quarantined: 0 };
  for (const { status } of outcomes) counts[status] += 1;
  return counts;
}

/**
 * The answer to a batch as JSON, as `batchSchema` describes it. Written here, since a serialiser that looks at every
 * field of ten thousand results takes longer than all the rest of the request.
 */
export function batchAnswerText(
  outcomes: readonly IngestOutcome[],
  {
    inputs,
    counts,
    listed,
  }: { readonly inputs: readonly unknown[]; readonly counts: OutcomeCounts; readonly listed: ListedResults },
): string {
  const { accepted, duplicate, conflict, invalid, quarantined } = counts;
  const numbers = { accepted, duplicates: duplicate, conflicts: conflict, invalid, quarantined };
  let results = "";
  let separator = "";
  for (const [index, outcome] of outcomes.entries()) {
    if (listed === "problems" && isFine(outcome)) continue;
    const id = eventText(inputs[index], "id");
    const idText = id === undefined ? "" : `,"id":${JSON.stringify(id)}`;
    results += `${separator}{"index":${index}${idText},"status":"${outcome.status}"${explanationText(outcome)}}`;
    separator = ",";
  }
  return `${JSON.stringify(numbers).slice(0, -1)},"results":[${results}]}`;
}

const isFine = ({ status }: IngestOutcome) => status === "accepted" || status === "duplicate";

function explanationText(outcome: IngestOutcome): string {
  const explanation = explanationOf(outcome);
  return explanation === undefined ? "" : `,${JSON.stringify(explanation).slice(1, -1)}`;
}

function explanationOf(outcome: IngestOutcome): object | undefined {
  if (outcome.status === "invalid") {
    const { code, field, message } = outcome.refusal;
    return { code, field, detail: message };
  }
  if (outcome.status === "quarantined") return { code: outcome.reason, detail: quarantined[outcome.reason] };
  if (outcome.status === "conflict") return { code: "usage_event_conflict", detail: conflicting };
  return undefined;
}

const quarantined = {
  unknown_customer: "kept, and counted once this customer exists",
  no_meter: "kept, and counted once a meter wants events of this type",
};
const conflicting =
  "an event with this source and id says something else; that one stands, this one was kept beside it";
