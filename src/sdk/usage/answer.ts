import type { AnswerStatus, UsageProblemCode } from "./notices.ts";
import type { ApiResponse } from "./transport.ts";

/** How many events of a batch had which outcome. */
export interface AnswerCounts {
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly invalid: number;
  readonly quarantined: number;
}

/** What the API said of one event. */
export interface EventResult {
  /** Its place in the batch. */
  readonly index: number;
  readonly status: AnswerStatus;
  readonly code?: string;
  readonly field?: string;
  readonly detail?: string;
}

/** What a response means for the batch. */
export type Verdict =
  | {
      readonly kind: "answered";
      readonly counts: AnswerCounts;
      /** Of every event that is not fine; of the others only when they were asked for. */
      readonly results: readonly EventResult[];
    }
  /**
   * The batch as a whole was refused: its halves are tried, down to the event at fault. That one is invalid when it was
   * Reckoner who refused it; what stands between may only be set up wrongly, and then it is kept.
   */
  | {
      readonly kind: "refused";
      readonly isReckoners: boolean;
      readonly reason: string;
      readonly field?: string | undefined;
      readonly detail: string;
    }
  | Postponement;

/** Nothing is known of the batch: it is sent again. */
export interface Postponement {
  readonly kind: "later";
  readonly code: UsageProblemCode;
  readonly detail: string;
  /** For how long the API does not want to be asked. */
  readonly wishMs: number;
  /** Whether the batch itself may be why. */
  readonly mayBeTheBatch: boolean;
}

/** @param wallMs the time now, for a Retry-After that names a date */
export function verdictOn(response: ApiResponse, eventCount: number, wallMs: number): Verdict {
  const { status, retryAfter, text } = response;
  if (status === 200) return resultsIn(text, eventCount);
  const problem = reckonersProblem(text);
  const detail = problem?.detail ?? `the answer had status ${status}`;
  if (status === 413 || (problem !== undefined && contentRefusals.has(problem.code))) {
    const reason = problem?.code ?? `status_${status}`;
    return { kind: "refused", isReckoners: problem !== undefined, reason, field: problem?.field, detail };
  }
  const code = codeOf(status);
  const wishMs = waitWished(retryAfter, wallMs);
  return { kind: "later", code, detail, wishMs, mayBeTheBatch: code === "api_failing" };
}

/** The codes that say that something in the batch is wrong, and not with how it came. */
const contentRefusals: ReadonlySet<string> = new Set(["json_malformed", "request_invalid"]);

function codeOf(status: number): UsageProblemCode {
  if (status === 401 || status === 403) return "api_key_refused";
  if (status === 429 || status === 503) return "api_overloaded";
  return status >= 500 ? "api_failing" : "api_unexpected";
}

const statuses: ReadonlySet<unknown> = new Set<AnswerStatus>([
  "accepted",
  "duplicate",
  "conflict",
  "invalid",
  "quarantined",
]);

/** An answer that does not speak of every event is no answer: the batch is sent again, under the same keys. */
function resultsIn(text: string, eventCount: number): Verdict {
  const answer = parsed(text);
  if (isObject(answer) && Array.isArray(answer.results)) {
    const results = answer.results.filter((result): result is EventResult => isResult(result, eventCount));
    const counts = countsIn(answer);
    const { accepted, duplicates, conflicts, invalid, quarantined } = counts;
    const problems = conflicts + invalid + quarantined;
    const listed = new Set(results.filter(isProblem).map(({ index }) => index)).size;
    if (accepted + duplicates + problems === eventCount && listed === problems) {
      return { kind: "answered", counts, results };
    }
  }
  const detail = `the answer does not say what became of each of ${eventCount} events: is this Reckoner's address?`;
  return { kind: "later", code: "api_unexpected", detail, wishMs: 0, mayBeTheBatch: false };
}

export const isProblem = ({ status }: EventResult) => status !== "accepted" && status !== "duplicate";

function isResult(result: unknown, eventCount: number): boolean {
  if (!isObject(result) || !statuses.has(result.status)) return false;
  const { index } = result;
  return typeof index === "number" && Number.isInteger(index) && index >= 0 && index < eventCount;
}

function countsIn(answer: Readonly<Record<string, unknown>>): AnswerCounts {
  const count = (name: keyof AnswerCounts) => {
    const value = answer[name];
    return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : Number.NaN;
  };
  return {
    accepted: count("accepted"),
    duplicates: count("duplicates"),
    conflicts: count("conflicts"),
    invalid: count("invalid"),
    quarantined: count("quarantined"),
  };
}

/** Seconds, or a date. */
function waitWished(retryAfter: string | null, wallMs: number): number {
  if (retryAfter === null) return 0;
  const waitMs = /^\s*\d+\s*$/.test(retryAfter)
    ? Number(retryAfter) * 1_000
    : Date.parse(retryAfter) - wallMs;
  return waitMs > 0 ? waitMs : 0;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly field: string | undefined;
}

/** Undefined when it was not Reckoner who answered. */
function reckonersProblem(text: string): Problem | undefined {
  const problem = parsed(text);
  if (!isObject(problem) || typeof problem.type !== "string" || typeof problem.code !== "string") {
    return undefined;
  }
  if (!problem.type.startsWith("urn:reckoner:problem:")) return undefined;
  const { code, detail, field } = problem;
  return {
    code,
    detail: typeof detail === "string" ? detail : code,
    field: typeof field === "string" ? field : undefined,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
