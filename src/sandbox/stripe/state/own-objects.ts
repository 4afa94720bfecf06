import type { Stored } from "./objects.ts";

/** One event on its way to one endpoint. Times are wall-clock milliseconds. */
export type Delivery = Stored & {
  readonly object: "delivery";
  readonly event: string;
  readonly endpoint: string;
  readonly state: "delivered" | "dropped" | "failed" | "pending";
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly last_result: string | null;
};

/** The first reply under an idempotency key. */
export type KeptReply = Stored & {
  readonly object: "kept_reply";
  readonly request_hash: string;
  readonly request_id: string;
  readonly status: number;
  readonly body: string;
};

/** How a card answers: by its nature, or by a script that is used up one attempt at a time. */
export type CardBehaviour = Stored & {
  readonly object: "card_behaviour";
  readonly nature: string;
  readonly script: readonly string[];
};

export type Settings = Stored & {
  readonly object: "settings";
  readonly now: number | null;
  readonly requests_per_second: number | null;
  readonly requests_per_endpoint?: number | null;
  /** In which the account settles all that it takes in others, and at how many of it for one. */
  readonly settlement?: { readonly currency: string; readonly rate: number } | null;
};
