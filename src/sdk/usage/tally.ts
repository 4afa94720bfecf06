import { type AnswerCounts, type EventResult, isProblem } from "./answer.ts";
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

  /** The API's answer to a batch. */
  answered(texts: readonly string[], answer: AnswerCounts, results: readonly EventResult[]): void {
    this.batchesAnswered++;
    this.counts.accepted += answer.accepted;
    this.counts.duplicates += answer.duplicates;
    this.counts.conflicts += answer.conflicts;
    this.counts.invalid += answer.invalid;
    this.counts.quarantined += answer.quarantined;
    const { onAnswer } = this.#listeners;
    for (const result of onAnswer === undefined ? results.filter(isProblem) : results) {
      this.#tell(texts[result.index] ?? "", result);
    }
  }

  /** The API refused this event so that it has no answer of its own. */
  refusedByApi(json: string, refusal: Omit<EventResult, "status" | "index">): void {
    this.batchesAnswered++;
    this.counts.invalid++;
    this.#tell(json, { index: 0, status: "invalid", ...refusal });
  }

  #tell(json: string, result: EventResult): void {
    const { status, code, field, detail } = result;
    const { source, id } = keyOf(json);
    tell(this.#listeners.onAnswer, { source, id, status, code, field, detail });
    if (status === "accepted" || status === "duplicate") return;
    tell(this.#listeners.onProblem, {
      code: `event_${status}`,
      detail: detail ?? `the API answered ${status}`,
      count: 1,
      event: { source, id, json },
      reason: code,
      field,
    });
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
