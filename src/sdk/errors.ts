type ProblemText = Partial<Record<"code" | "detail" | "field" | "request_id", string>> & {
  readonly faults?: ReckonerApiError["faults"];
};

/** A request that the API refused, or could not answer. Branch on `code`. */
export class ReckonerApiError extends Error {
  readonly status: number;
  /** Stable, for example `customer_not_found`; `unexpected_answer` when the answer was not one of Reckoner's. */
  readonly code: string;
  /** The input at fault, for example `items[0].seats`. */
  readonly field: string | undefined;
  /** All that is wrong with the request; empty where `field` says it all. */
  readonly faults: readonly { readonly field: string; readonly detail: string }[];
  /** Give this to support. */
  readonly requestId: string | undefined;

  constructor(status: number, problem: ProblemText) {
    const {
      code = "unexpected_answer",
      detail = `the answer had status ${status}`,
      field,
      faults = [],
      request_id,
    } = problem;
    super(detail);
    this.name = "ReckonerApiError";
    this.status = status;
    this.code = code;
    this.field = field;
    this.faults = faults;
    this.requestId = request_id;
  }
}

/** Reads the problem out of an answer that is an error. */
export async function errorOf(response: Response): Promise<ReckonerApiError> {
  const requestId = response.headers.get("x-request-id");
  const problem: unknown = await response.json().catch(() => undefined);
  const known = typeof problem === "object" && problem !== null && "code" in problem ? problem : {};
  return new ReckonerApiError(response.status, {
    ...(requestId === null ? {} : { request_id: requestId }),
    ...known,
  });
}
