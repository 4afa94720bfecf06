import { formatAmount, isNegativeAmount } from "../format/amount.ts";
import { Done } from "../parts/command-form.tsx";
import type { Adjustment } from "../reads/resources.ts";

/** What became of a request to change credit or a balance: it is done, or waits for a second key. */
export function AdjustmentDone({ adjustment }: { adjustment: Adjustment }) {
  const { status, change_minor: change, currency } = adjustment;
  const amount = formatAmount(change.replace("-", ""), currency);
  if (status === "executed") {
    return (
      <Done title="Done">
        {isNegativeAmount(change) ? `${amount} is taken back.` : `${amount} is given.`}
      </Done>
    );
  }
  return <WaitsForApproval amount={amount} />;
}

export function WaitsForApproval({ amount }: { amount: string }) {
  return (
    <Done title="It waits for approval" isWaiting>
      {amount} is above what one key changes alone. It is done when another key approves it; until then
      nothing is booked.
    </Done>
  );
}
