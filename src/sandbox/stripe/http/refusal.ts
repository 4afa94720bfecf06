/** The `error` member of a Stripe reply. Field names are Stripe's. */
export type StripeError = {
  readonly type:
    | "api_error"
    | "card_error"
    | "idempotency_error"
    | "invalid_request_error"
    | "temporary_session_expired";
  readonly message: string;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly decline_code?: string | undefined;
  readonly advice_code?: string | undefined;
  readonly network_decline_code?: string | undefined;
  readonly charge?: string | undefined;
  readonly payment_intent?: unknown;
  readonly payment_method?: unknown;
  readonly setup_intent?: unknown;
};

type Handling = {
  /** Refused before execution began, so the reply is not kept under the idempotency key. */
  readonly beforeExecution?: boolean;
  /** What the handler did so far is committed all the same: a declined charge is a fact. */
  readonly keepsEffects?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A reply that is not a success, in Stripe's shape. */
export class StripeRefusal extends Error {
  readonly status: number;
  readonly error: StripeError;
  readonly handling: Handling;

  constructor(status: number, error: StripeError, handling: Handling = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.handling = handling;
  }

  /** The reply body, with a link to Stripe's page about the code, as Stripe sends it. */
  body(): { error: StripeError & { doc_url?: string } } {
    const { code } = this.error;
    const link = code === undefined ? {} : { doc_url: docUrl(code) };
    return { error: { ...this.error, ...link } };
  }
}

function docUrl(code: string): string {
  return `https://docs.stripe.com/error-codes/${code.replaceAll("_", "-")}`;
}

/** 400 for a parameter that is malformed, missing or unknown; not kept under the idempotency key. */
export function badParameter(message: string, param: string, code?: string): StripeRefusal {
  return new StripeRefusal(
    400,
    { type: "invalid_request_error", message, param, code },
    { beforeExecution: true },
  );
}

export function missingParameter(param: string): StripeRefusal {
  return badParameter(`Missing required param: ${param}.`, param, "parameter_missing");
}

/** 400 for a request that is well formed and against a rule or the object's state. */
export function refused(message: string, code?: string, param?: string): StripeRefusal {
  return new StripeRefusal(400, { type: "invalid_request_error", message, code, param });
}

/** 404 `resource_missing`; an id that came as a parameter names it, one in the path is called `id`. */
export function noSuch(kind: string, id: string, param = "id"): StripeRefusal {
  const status = param === "id" ? 404 : 400;
  const message = `No such ${kind.replaceAll("_", "")}: '${id}'`;
  return new StripeRefusal(status, {
    type: "invalid_request_error",
    code: "resource_missing",
    message,
    param,
  });
}

export function unrecognizedUrl(method: string, path: string): StripeRefusal {
  const message = `Unrecognized request URL (${method}: ${path}). The stand-in serves the operations in spec/operations.txt.`;
  return new StripeRefusal(404, { type: "invalid_request_error", message });
}
