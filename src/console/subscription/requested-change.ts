import type { ReckonerClient } from "../../sdk/index.ts";
import type { CommandHeader } from "../commands/use-command.ts";
import { counted } from "../format/quantity.ts";
import type { ChangePreview } from "../reads/resources.ts";

export type Settle = "now" | "next_invoice" | "none";

/** A change of a subscription as somebody wants it. */
export interface RequestedChange {
  readonly kind: "change_plan" | "change_quantity";
  /** Of a change of plan: the key of the new one. */
  readonly plan: string;
  readonly seats: number;
  /** When its lines are invoiced; null as the plan says. */
  readonly settle: Settle | null;
}

/** "Team with 5 seats", "5 seats". */
export function describeChange(
  { kind, plan, seats }: RequestedChange,
  planName: (key: string) => string,
): string {
  const quantity = counted(seats, "seat");
  return kind === "change_plan" ? `${planName(plan)} with ${quantity}` : quantity;
}

const prorationOf = ({ settle }: RequestedChange) => (settle === null ? {} : { proration: { settle } });

/** Asks what a change would come to, and stores nothing. */
export function previewChange(reckoner: ReckonerClient, id: string, change: RequestedChange) {
  const { kind, plan, seats } = change;
  const rest = { seats, ...prorationOf(change) };
  const body = kind === "change_plan" ? { kind, plan, ...rest } : { kind, ...rest };
  return reckoner.post("/v1/subscriptions/{id}/change-preview", { params: { path: { id } }, body });
}

/** Makes a change with the very lines that were previewed, or is refused. */
export function makeChange(
  reckoner: ReckonerClient,
  header: CommandHeader,
  { id, change, preview }: { id: string; change: RequestedChange; preview: ChangePreview },
) {
  const { effective_at, quote } = preview;
  const body = { seats: change.seats, ...prorationOf(change), preview: { effective_at, quote } };
  const params = { path: { id }, header };
  return change.kind === "change_plan"
    ? reckoner.post("/v1/subscriptions/{id}/change-plan", { params, body: { ...body, plan: change.plan } })
    : reckoner.post("/v1/subscriptions/{id}/change-quantity", { params, body });
}
