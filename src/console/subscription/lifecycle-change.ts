import type { ReckonerClient, Schemas } from "../../sdk/index.ts";
import type { CommandHeader } from "../commands/use-command.ts";
import type { ChangePreview, Subscription } from "../reads/resources.ts";

/** What can be done to a subscription beside changing its plan or seats. */
export type LifecycleKind = "cancel" | "pause" | "resume" | "end_trial";

export interface LifecycleChange {
  readonly kind: LifecycleKind;
  /** `period_end` of what can wait; what ends a trial cannot. */
  readonly when: "now" | "period_end";
  /** Of an end inside a period: what becomes of what was charged for the rest of it. */
  readonly unused: "credit" | "refund" | "none";
}

export const lifecycleNames: Readonly<Record<LifecycleKind, string>> = {
  cancel: "Cancel",
  pause: "Pause",
  resume: "Resume",
  end_trial: "End the trial",
};

/** What can be done to a subscription as it is. */
export function possibleChanges({ status, cancel_at }: Subscription): readonly LifecycleKind[] {
  if (cancel_at !== null) return [];
  if (status === "trialing") return ["end_trial", "cancel"];
  if (status === "paused") return ["resume", "cancel"];
  return status === "active" || status === "past_due" ? ["pause", "cancel"] : [];
}

type Asked = Schemas["RequestedChangeInput"];

/** As the API is asked what it would come to: now, or when the period ends. */
export function askedChange(change: LifecycleChange, { current_period }: Subscription): Asked {
  const { kind, when, unused } = change;
  const at = when === "period_end" && current_period !== null ? { effective_at: current_period.end } : {};
  return kind === "cancel" ? { kind, unused, ...at } : { kind, ...at };
}

/** Does it, with the very lines that were previewed, or is refused. */
export function makeLifecycleChange(
  reckoner: ReckonerClient,
  header: CommandHeader,
  { id, change, preview }: { id: string; change: LifecycleChange; preview: ChangePreview | null },
) {
  const params = { path: { id }, header };
  const agreed =
    preview === null || (change.when !== "now" && change.kind !== "end_trial")
      ? {}
      : { preview: { effective_at: preview.effective_at, quote: preview.quote } };
  const { when, unused } = change;
  switch (change.kind) {
    case "cancel":
      return reckoner.post("/v1/subscriptions/{id}/cancel", { params, body: { when, unused, ...agreed } });
    case "pause":
      return reckoner.post("/v1/subscriptions/{id}/pause", { params, body: { when, ...agreed } });
    case "resume":
      return reckoner.post("/v1/subscriptions/{id}/resume", { params, body: { when, ...agreed } });
    default:
      return reckoner.post("/v1/subscriptions/{id}/end-trial", { params, body: { ...agreed } });
  }
}
