import { Group, TextInput } from "@mantine/core";
import type { Months } from "../reads/report-queries.ts";

/** From which month to which; nothing is the last twelve. */
export function MonthRange({ months, onMonths }: { months: Months; onMonths: (months: Months) => void }) {
  const set = (part: Months) => onMonths({ ...months, ...part });
  return (
    <Group gap="xs">
      <TextInput
        type="month"
        size="xs"
        aria-label="First month"
        value={months.from ?? ""}
        onChange={(event) => set({ from: event.currentTarget.value || undefined })}
      />
      <TextInput
        type="month"
        size="xs"
        aria-label="Last month"
        value={months.to ?? ""}
        onChange={(event) => set({ to: event.currentTarget.value || undefined })}
      />
    </Group>
  );
}
