import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../../sdk/index.ts";
import { formatQuantity } from "../format/quantity.ts";
import { wordsFor } from "../format/words.ts";
import { TextLink } from "../parts/links.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { anomalyRulesQuery } from "../reads/report-queries.ts";

type Rule = Schemas["AnomalyRule"];

const columns: readonly Column<Rule>[] = [
  { header: "Kind", onPhone: "title", cell: ({ kind }) => wordsFor(kind) },
  { header: "Watched", cell: ({ watched }) => (watched ? "Yes" : "No") },
  {
    header: "Spreads from the median",
    align: "end",
    cell: ({ tenths_min }) => <span className="figure">{(tenths_min / 10).toFixed(1)}</span>,
  },
  { header: "Earlier figures needed", align: "end", cell: ({ history_min }) => history_min },
  { header: "Least amount", align: "end", cell: ({ amount_min }) => formatQuantity(amount_min) },
  { header: "Changed by", onPhone: "hidden", cell: ({ changed_by }) => changed_by },
];

/** What is looked for, and by what measure; changed through the API, by whoever operates. */
export function RulesPage() {
  return (
    <Stack gap="md">
      <title>What counts as unusual · Reckoner</title>
      <TextLink to="/anomalies" size="sm" c="dimmed">
        Anomalies
      </TextLink>
      <Title order={1} size="h2">
        What counts as unusual
      </Title>
      <Text size="sm" maw="60em">
        A figure is compared with those before it: the middle one of them is the median, and half of them are
        no further from it than the spread. How many spreads a figure is away says how unlike them it is.
        Neither median nor spread moves because of a few wild figures, as averages would. Where nothing is
        compared, only the least amount counts.
      </Text>
      <div className="surface">
        <Loaded query={useQuery(anomalyRulesQuery())}>
          {({ data }) => (
            <RecordTable label="Rules" columns={columns} rows={data} keyOf={({ kind }) => kind} />
          )}
        </Loaded>
      </div>
    </Stack>
  );
}
