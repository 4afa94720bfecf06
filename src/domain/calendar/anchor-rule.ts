import { BillingError } from "../errors.ts";

/**
 * Where a plan's periods begin. anniversary: where the subscription does. calendar: at local midnight of a day that the
 * calendar names: for weeks the `weekday` (1 is Monday), for months the `day`, for years the `day` of the `month`; the
 * first of each where it is left out. A day that a month does not have is its last. `stub` says what the part of a period
 * up to the first boundary costs: its share, which is the default, or nothing.
 */
export type AnchorRule =
  | { readonly type: "anniversary" }
  | {
      readonly type: "calendar";
      readonly weekday?: number;
      readonly day?: number;
      readonly month?: number;
      readonly stub?: "prorated" | "free";
    };

export class AnchorRuleInvalidError extends BillingError {
  readonly code = "anchor_rule_invalid";
}
