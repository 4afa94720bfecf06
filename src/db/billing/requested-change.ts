import { isoOf } from "../../domain/calendar/index.ts";
import type { PriceOverride } from "../../domain/catalog/index.ts";
import { type RequestedChange, SubscriptionRuleError } from "../../domain/invoicing/index.ts";
import type { SubscriptionChange } from "../../workflows/messages.ts";
import type { Tx } from "../database.ts";
import type { PlannedChange } from "./planned-change.ts";
import { agreedOverrides } from "./price-agreements.ts";

/** As a run is told it, or with the prices that are agreed instead of the plan's themselves. */
export type AskedChange = SubscriptionChange & { readonly overrides?: readonly PriceOverride[] };

/** As the domain knows it; a run says of a cancellation whether unused time is given back. */
export async function requestedChange(tx: Tx, change: AskedChange): Promise<RequestedChange> {
  if (change.kind === "change_plan" || change.kind === "add_add_on") {
    const { agreement, ...rest } = change;
    return { ...rest, ...(await agreedOverrides(tx, agreement)) };
  }
  if (change.kind !== "cancel") return change;
  return { kind: "cancel", unused: change.credit === "unused" ? "credit" : change.credit };
}

/** @throws SubscriptionRuleError when a change comes to other lines than its preview did */
export function requireAsQuoted({ quote, at }: PlannedChange, { quote: quoted }: SubscriptionChange): void {
  if (quoted === undefined || quoted === quote) return;
  throw new SubscriptionRuleError(
    "change_quote_outdated",
    `at ${isoOf(at)} the change comes to other lines than its preview did: preview it again`,
    "preview",
  );
}
