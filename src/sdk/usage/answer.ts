import type { AnswerStatus, UsageProblemCode } from "./notices.ts";
import type { ApiResponse } from "./transport.ts";

export interface EventResult {
  readonly status: AnswerStatus;
  readonly code?: string;
  readonly field?: string;
  readonly detail?: string;
}

/** What a response means for the batch. */
export type Verdict =
  | { readonly kind: "answered"; readonly results: readonly EventResult[] }
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
  if (status === 413 || (status === 400 && problem !== undefined)) {
    const reason = problem?.code ?? `status_${status}`;
    return { kind: "refused", isReckoners: problem !== undefined, reason, field: problem?.field, detail };
  }
  const code = codeOf(status);
  const wishMs = waitWished(retryAfter, wallMs);
  return { kind: "later", code, detail, wishMs, mayBeTheBatch: code === "api_failing" };
}

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
  const results = isObject(answer) && Array.isArray(answer.results) ? (answer.results as unknown[]) : [];
  const inOrder: EventResult[] = [];
  for (const result of results) {
    if (!isObject(result) || !statuses.has(result.status) || typeof result.index !== "number") break;
    inOrder[result.index] = result as unknown as EventResult;
  }
  if (
    results.length === eventCount &&
    inOrder.length === eventCount &&
    !inOrder.includes(undefined as never)
  ) {
    return { kind: "answered", results: inOrder };
  }
  const detail = `the answer does not say what became of each of ${eventCount} events: is this Reckoner's address?`;
  return { kind: "later", code: "api_unexpected", detail, wishMs: 0, mayBeTheBatch: false };
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
