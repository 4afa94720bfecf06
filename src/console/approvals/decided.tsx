import type { Adjustment, CreditNote } from "../reads/resources.ts";
import { type Decidable, DecisionButtons } from "./decision-buttons.tsx";
import { DecisionText } from "./decision-text.tsx";

interface DecidedProps {
  readonly request: Pick<Adjustment | CreditNote, "status" | "decision">;
  readonly decidable: Decidable;
}

/** What was decided about a request, or the ways to decide while it waits. */
export function Decided({ request: { status, decision }, decidable }: DecidedProps) {
  if (status === "pending_approval") return <DecisionButtons decidable={decidable} />;
  return decision === null ? null : <DecisionText decision={decision} />;
}
