import type { EventResult } from "./answer.ts";
import { type Listeners, tell } from "./notices.ts";

/** What became of events, since the reporter was made. */
export interface Counts {
  /** Events that `report` took: each is answered one day, or still waits, or was dropped when the reporter closed. */
  taken: number;
  /** Refused by `report`: they can never be sent. */
  refused: number;
  /** Lost: the memory was full and the disk took nothing, or the reporter closed and there was no disk. */
  dropped: number;
  /** Written to disk. */
  spooled: number;
  /** The API's answers. What was sent twice, because an answer was lost, is a duplicate the second time. */
  accepted: number;
  duplicates: number;
  conflicts: number;
  invalid: number;
  quarantined: number;
}

const countOf = {
  accepted: "accepted",
  duplicate: "duplicates",
  conflict: "conflicts",
  invalid: "invalid",
  quarantined: "quarantined",
} as const;

/** Counts the API's answers and tells of those that somebody should look at. */
export class Tally {
  readonly counts: Counts = {
    taken: 0,
    refused: 0,
    dropped: 0,
    spooled: 0,
    accepted: 0,
    duplicates: 0,
    conflicts: 0,
    invalid: 0,
    quarantined: 0,
  };
  /** How many batches were answered. */
  batchesAnswered = 0;
  readonly #listeners: Listeners;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  /** The API's answer to a batch, event by event. */
  answered(texts: readonly string[], results: readonly EventResult[]): void {
    this.batchesAnswered++;
    for (const [index, result] of results.entries()) this.#count(texts[index] ?? "", result);
  }

  /** The API refused this event so that it has no answer of its own. */
  refusedByApi(json: string, refusal: Omit<EventResult, "status">): void {
    this.batchesAnswered++;
    this.#count(json, { status: "invalid", ...refusal });
  }

  #count(json: string, { status, code, field, detail }: EventResult): void {
    this.counts[countOf[status]]++;
    const { onAnswer, onProblem } = this.#listeners;
    const isProblem = status !== "accepted" && status !== "duplicate";
    // Only then is it read who the event is: this runs for every one of them.
    if (!isProblem && onAnswer === undefined) return;
    const { source, id } = keyOf(json);
    tell(onAnswer, { source, id, status, code, field, detail });
    if (isProblem) {
      tell(onProblem, {
        code: `event_${status}`,
        detail: detail ?? `the API answered ${status}`,
        count: 1,
        event: { source, id, json },
        reason: code,
        field,
      });
    }
  }
}

function keyOf(json: string): { source: string; id: string } {
  try {
    const { source, id } = JSON.parse(json) as { source?: unknown; id?: unknown };
    return { source: String(source), id: String(id) };
  } catch {
    return { source: "", id: "" };
  }
}
