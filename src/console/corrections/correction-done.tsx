import { counted } from "../format/quantity.ts";
import { Done } from "../parts/command-form.tsx";
import type { UsageCorrection } from "../reads/resources.ts";

/** What became of a request to correct usage. */
export function CorrectionDone({ correction }: { correction: UsageCorrection }) {
  const { kind, status, event_count: count, approval } = correction;
  if (status === "executed") {
    const now = kind === "void" ? "no more" : "as they were amended";
    return (
      <Done title="Corrected">{`${counted(count, "event")} corrected: what they say counts ${now}.`}</Done>
    );
  }
  return (
    <Done title="It waits for approval" isWaiting>
      {approval.changes_billed
        ? "It changes what was billed, so another key must agree."
        : `It is more than one key corrects alone within a day: ${approval.limit} events.`}{" "}
      Until then the usage counts as it did.
    </Done>
  );
}
