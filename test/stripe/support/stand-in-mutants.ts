/** A stand-in that is wrong in one way, and which files of tests have to notice. */
export interface StandInMutant {
  readonly name: string;
  /** Below `src/sandbox/stripe`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Of the stand-in by itself, below `test`. */
  readonly noticedBy: string;
  /** Of the engine, where it relies on what is wrong. */
  readonly noticedByEngine?: string;
}

const conformance = (name: string) => `stripe/${name}.test.ts`;
const rail = "stripe/rail.test.ts";
const railFaults = "stripe/rail-faults.test.ts";
const intents = "stripe/intents.test.ts";
const meterSync = "activities/meter-sync.test.ts";

export const standInMutants: readonly StandInMutant[] = [
  {
    name: "forgets idempotency keys",
    file: "http/idempotency.ts",
    from: "if (kept.request_hash === claim.requestHash) return kept;",
    to: "if (kept.request_hash === claim.requestHash) return undefined;",
    noticedBy: conformance("idempotency"),
    noticedByEngine: railFaults,
  },
  {
    name: "remembers idempotency keys for ever",
    file: "http/idempotency.ts",
    from: "account.now() - kept.created >= keptSeconds",
    to: "account.now() - kept.created < 0",
    noticedBy: conformance("idempotency"),
  },
  {
    name: "takes another body under a used key",
    file: "http/idempotency.ts",
    from: "if (kept.request_hash === claim.requestHash) return kept;",
    to: "return kept;",
    noticedBy: conformance("idempotency"),
  },
  {
    name: "lets two requests with one key in at once",
    file: "http/api.ts",
    from: "this.#keysInUse.has(inUse)) throw keyInUse();",
    to: "this.#keysInUse.size < 0) throw keyInUse();",
    noticedBy: conformance("idempotency"),
  },
  {
    name: "forgets what it answered 500 to",
    file: "http/api.ts",
    from: 'if (fault?.action !== "error_after_stored") return answer;',
    to: "return answer;",
    noticedBy: conformance("idempotency"),
  },
  {
    name: "takes any key",
    file: "http/admission.ts",
    from: "/^(sk|rk)_test_\\w+$/.test(key)",
    to: "key.length > 0",
    noticedBy: conformance("requests"),
    noticedByEngine: railFaults,
  },
  {
    name: "ignores parameters that it does not act on",
    file: "http/unsupported.ts",
    from: "else if (!honours.has(path)) throw unsupported(path);",
    to: "else if (!honours.has(path)) continue;",
    noticedBy: conformance("requests"),
  },
  {
    name: "takes unknown parameters",
    file: "schema/reader.ts",
    from: "    refuseUnknown(unknown);",
    to: "    refuseUnknown([]);",
    noticedBy: conformance("mutants"),
  },
  {
    name: "lists without an end",
    file: "http/lists.ts",
    from: "rows.length > start + limit);",
    to: "false);",
    noticedBy: conformance("requests"),
  },
  {
    name: "has no limit of requests",
    file: "http/admission.ts",
    from: "return tokens >= 1;",
    to: "return true;",
    noticedBy: conformance("control"),
  },
  {
    name: "signs by another algorithm",
    file: "webhooks/signature.ts",
    from: 'createHmac("sha256", secret)',
    to: 'createHmac("sha1", secret)',
    noticedBy: conformance("webhooks"),
  },
  {
    name: "forgets the old secret while it is replaced",
    file: "webhooks/outbox.ts",
    from: "expiry === null || expiry > nowMs",
    to: "expiry === null",
    noticedBy: conformance("webhooks"),
  },
  {
    name: "sends no webhook twice that nobody took",
    file: "webhooks/outbox.ts",
    from: "mayRetry ? this.#retryDelaysMs[delivery.attempts] : undefined",
    to: "mayRetry ? undefined : this.#retryDelaysMs[delivery.attempts]",
    noticedBy: conformance("webhooks"),
  },
  {
    name: "takes a redirect for an answer",
    file: "webhooks/outbox.ts",
    from: "ok: response.ok,",
    to: "ok: response.status < 400,",
    noticedBy: conformance("webhooks"),
  },
  {
    name: "forgets what was canceled when usage is counted",
    file: "metering/count-event.ts",
    from: "addDecimals(total.sum, negated(usage.value))",
    to: "addDecimals(total.sum, usage.value)",
    noticedBy: conformance("metering"),
    noticedByEngine: meterSync,
  },
  {
    name: "counts an identifier twice",
    file: "metering/count-event.ts",
    from: "known && tx.now - known.created < daySeconds",
    to: "known && tx.now < 0",
    noticedBy: conformance("metering"),
  },
  {
    name: "counts with floating point",
    file: "metering/exact-sum.ts",
    from: "return textOf(scaled(one) + scaled(other));",
    to: "return String(Number(one) + Number(other));",
    noticedBy: conformance("metering"),
  },
  {
    name: "pays what is void",
    file: "resources/invoice-collection.ts",
    from: '    void: "This invoice can no longer be paid: it is void.",\n',
    to: "",
    noticedBy: conformance("invoices"),
  },
  {
    name: "leaves the customer's balance out of an invoice",
    file: "resources/invoice-finalization.ts",
    from: "customer.currency === draft.currency ? customer.balance : 0",
    to: "0",
    noticedBy: conformance("invoice-amounts"),
  },
  {
    name: "takes a 251st line",
    file: "resources/invoice-lines.ts",
    from: "const linesMax = 250;",
    to: "const linesMax = 2500;",
    noticedBy: conformance("invoice-amounts"),
  },
  {
    name: "refunds what was charged back",
    file: "payments/disputes.ts",
    from: '!isInquiry(dispute) && dispute.status !== "won"',
    to: 'isInquiry(dispute) && dispute.status === "won"',
    noticedBy: conformance("money-out"),
  },
  {
    name: "charges a card off session that wants its holder",
    file: "payments/charge.ts",
    from: 'outcome === "require_action" && offSession',
    to: 'outcome === "require_action" && !offSession',
    noticedBy: intents,
  },
  {
    name: "charges less than the smallest amount",
    file: "payments/currencies.ts",
    from: "return minimumMinor[currency] ?? (currencyDecimals(currency) === 3 ? 500 : 50);",
    to: "return Math.min(minimumMinor[currency] ?? 1, 1);",
    noticedBy: conformance("invoice-amounts"),
    noticedByEngine: rail,
  },
];
