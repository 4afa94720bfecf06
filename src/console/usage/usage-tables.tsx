import { counted, formatQuantity } from "../format/quantity.ts";
import { formatUtcDay } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import { Nothing, Quantity } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import type { UsageBreakdown, UsageDay, UsagePart } from "./usage-breakdown.ts";

/** The exact total, and the part of it that each value of the dimension has. */
export function UsagePartTable({
  breakdown: { parts, total, eventCount },
  by,
}: {
  breakdown: UsageBreakdown;
  by: string | null;
}) {
  const columns: Column<UsagePart>[] = [
    {
      header: by === null ? "All" : wordsFor(by),
      onPhone: "title",
      cell: ({ name }) => <strong>{name}</strong>,
    },
    { header: "Events", align: "end", cell: ({ eventCount }) => <Quantity value={String(eventCount)} /> },
    { header: "Quantity", align: "end", cell: ({ quantity }) => <Quantity value={quantity} /> },
  ];
  return (
    <Section title={`Total: ${formatQuantity(total)} in ${counted(eventCount, "event")}`}>
      <RecordTable label="Usage in total" columns={columns} rows={parts} keyOf={({ key }) => key} />
    </Section>
  );
}

/** The exact figures behind the chart; days without usage are left out. */
export function UsageDayTable({ breakdown: { parts, days } }: { breakdown: UsageBreakdown }) {
  const ofParts = parts.map(
    ({ key, name }): Column<UsageDay> => ({
      header: name,
      align: "end",
      cell: ({ quantities }) =>
        quantities[key] === undefined ? <Nothing /> : <Quantity value={quantities[key]} />,
    }),
  );
  const columns: Column<UsageDay>[] = [
    { header: "Day (UTC)", onPhone: "title", cell: ({ day }) => <strong>{formatUtcDay(day)}</strong> },
    ...(parts.length > 1 ? ofParts : []),
    { header: "Events", align: "end", cell: ({ eventCount }) => <Quantity value={String(eventCount)} /> },
    { header: "Total", align: "end", cell: ({ total }) => <Quantity value={total} /> },
  ];
  const used = days.filter(({ eventCount }) => eventCount > 0);
  return (
    <Section title="Day by day">
      <RecordTable label="Usage by day" columns={columns} rows={used} keyOf={({ day }) => day} />
    </Section>
  );
}
