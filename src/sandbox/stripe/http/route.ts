import type { Params } from "../schema/reader.ts";
import type { Transaction } from "../state/transaction.ts";

/** One checked request on its way through a handler. */
export type Call = {
  readonly tx: Transaction;
  readonly params: Params;
  /** The ids in the path, by the names the route gives them. */
  readonly path: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  /** `http://host:port` as the client reached it, for hosted pages. */
  readonly baseUrl: string;
};

/** What a handler gives back: the body of a 200 reply, before `expand`. */
export type Reply = { readonly [field: string]: unknown };

export type Route = {
  /** As the specification writes it: `"POST /v1/invoices/{invoice}/pay"`. */
  readonly operation: string;
  /**
   * The parameters this stand-in acts on. Others that Stripe would take are refused rather than ignored, so
   * that nobody builds on an effect that is not here. `lines.amount` names a field of an object or of each item.
   */
  readonly honours: readonly string[];
  readonly handle: (call: Call) => Reply;
};

/** Honoured by every operation that returns an object or a list. */
export const listParameters = ["limit", "starting_after", "ending_before"] as const;

/** The id the path carries under this name. */
export function pathId(call: Call, name: string): string {
  return call.path[name] ?? "";
}
