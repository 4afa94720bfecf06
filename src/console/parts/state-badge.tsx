import { wordsFor } from "../format/words.ts";
import classes from "./state-badge.module.css";

const tones: Readonly<Record<string, string>> = {
  active: "positive",
  paid: "positive",
  open: "informative",
  pending: "informative",
  pending_approval: "warning",
  issued: "positive",
  executed: "positive",
  trialing: "informative",
  incomplete: "warning",
  past_due: "warning",
  requires_action: "warning",
  declined: "negative",
  uncollectible: "negative",
  investigating: "informative",
  resolved: "positive",
  expected: "positive",
  needs_attention: "warning",
  failed: "negative",
  running: "informative",
  completed: "positive",
  enabled: "positive",
  disabled: "negative",
};

/** A state as a coloured word. The word says it; the colour only helps to find it. */
export function StateBadge({ state }: { state: string }) {
  return (
    <span className={classes.badge} data-tone={tones[state] ?? "neutral"}>
      {wordsFor(state)}
    </span>
  );
}
