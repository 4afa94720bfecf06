import { Text } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Time } from "../parts/figures.tsx";
import type { Adjustment } from "../reads/resources.ts";

/** What somebody decided about a request, when, and what they said. */
export function DecisionText({ decision }: { decision: NonNullable<Adjustment["decision"]> }) {
  const { time_zone: timeZone } = useCustomer();
  const { outcome, decided_by, decided_at, note } = decision;
  return (
    <Text size="xs" c="dimmed" component="div" style={{ overflowWrap: "anywhere" }}>
      {wordsFor(outcome)} <Time at={decided_at} timeZone={timeZone} /> by {decided_by}
      {note === null ? "" : `: ${note}`}
    </Text>
  );
}
