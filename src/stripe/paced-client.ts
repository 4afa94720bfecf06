import { Stripe } from "stripe";

/** Gives a request its turn: answers when it may be sent, or false when that would be too long from now. */
export type TakeTurn = (endpoint: string) => Promise<boolean>;

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;
type HttpReply = Awaited<ReturnType<HttpClient["makeRequest"]>>;

/**
 * The SDK's way to the network, on which each request waits for its turn: reads and writes, and what the SDK sends again by
 * itself. Who would have to wait too long is answered as Stripe would answer: 429, and nothing was done.
 */
export function pacedClient(
  takeTurn: TakeTurn,
  inner: HttpClient = Stripe.createNodeHttpClient(),
): HttpClient {
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (...request) => {
      const [, , path, method] = request;
      return (await takeTurn(endpointOf(method, path))) ? await inner.makeRequest(...request) : tooBusy();
    },
  };
}

/** What Stripe counts together: `POST /v1/invoices/:id/pay`. */
export function endpointOf(method: string, path: string): string {
  const [withoutQuery = ""] = path.split("?");
  const segments = withoutQuery.split("/").map((segment) => (isId(segment) ? ":id" : segment));
  return `${method} ${segments.join("/")}`;
}

/** `in_1Nk…`, `pm_card_visa`; not `payment_intents`. */
function isId(segment: string): boolean {
  return segment.startsWith("pm_card_") || /^[a-z]+_.*[0-9A-Z]/.test(segment);
}

function tooBusy(): HttpReply {
  const message = "Too many requests wait for their turn to be sent to Stripe.";
  const body = { error: { type: "invalid_request_error", code: "rate_limit", message } };
  return {
    getStatusCode: () => 429,
    getHeaders: () => ({ "retry-after": "5" }),
    getRawResponse: () => {
      throw new Error("no response was received");
    },
    toStream: () => {
      throw new Error("no response was received");
    },
    toJSON: async () => body,
  };
}
