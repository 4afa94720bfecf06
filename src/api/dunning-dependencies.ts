import type { StoredDunningCommand } from "../db/billing/dunning-records.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { CommandContext } from "./dependencies.ts";

export interface DunningRequest {
  /** The same request is done once. */
  readonly requestId: string;
  readonly invoiceId: string;
  readonly command: "retry" | "postpone" | "stop";
  /** Of a postponement. */
  readonly until: Instant | null;
  readonly reason: string;
}

export interface PolicyChoiceRequest {
  readonly requestId: string;
  readonly customerId: string;
  /** Null: what the customer's plans say, again. */
  readonly policyKey: string | null;
  readonly reason: string | null;
}

/** What operators decide about dunning: written down with who and why, then told to the run. */
export interface DunningCommands {
  /** @throws RequestRefusedError `dunning_ended`, `dunning_disputed` or `dunning_postponement_invalid` */
  command(request: DunningRequest, context: CommandContext): Promise<StoredDunningCommand>;
  /** Counts for what fails from now on. @throws RequestRefusedError `dunning_policy_not_found` */
  choosePolicy(request: PolicyChoiceRequest, context: CommandContext): Promise<void>;
}
