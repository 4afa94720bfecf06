import { Group, Select, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { wordsFor } from "../format/words.ts";
import { Nothing, Time } from "../parts/figures.tsx";
import { RowLink, TextLink } from "../parts/links.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { anomaliesQuery } from "../reads/report-queries.ts";
import { type Anomaly, anomalyKinds, anomalyStates, describeAnomaly } from "./describe-anomaly.ts";

const route = getRouteApi("/anomalies");
const kinds = anomalyKinds.map((value) => ({ value, label: wordsFor(value) }));
const states = anomalyStates.map((value) => ({ value, label: wordsFor(value) }));

/** What is unlike everything before, as cases to be worked on. */
export function AnomaliesPage() {
  const filter = route.useSearch();
  const query = useInfiniteQuery(anomaliesQuery(filter));
  return (
    <Stack gap="md">
      <title>Anomalies · Reckoner</title>
      <Group justify="space-between" align="end">
        <Title order={1} size="h2">
          Anomalies
        </Title>
        <Filters />
      </Group>
      <Text size="sm" c="dimmed">
        Figures are compared with those before them by their median and spread, which a few wild ones do not
        move.{" "}
        <TextLink to="/anomalies/rules" size="sm" underline="always">
          What counts as unusual
        </TextLink>
      </Text>
      <div className="surface">
        <LoadedList
          query={query}
          empty={<EmptyNotice title="Nothing unusual">There is no such case.</EmptyNotice>}
        >
          {(anomalies) => (
            <RecordTable label="Anomalies" columns={columns} rows={anomalies} keyOf={({ id }) => id} />
          )}
        </LoadedList>
      </div>
    </Stack>
  );
}

function Filters() {
  const { kind, state } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Group gap="xs">
      <Select
        aria-label="Kind"
        placeholder="Any kind"
        data={kinds}
        value={kind ?? null}
        onChange={(value) =>
          navigate({ search: (before) => ({ ...before, kind: anomalyKinds.find((each) => each === value) }) })
        }
        clearable
        w={210}
      />
      <Select
        aria-label="State"
        placeholder="Any state"
        data={states}
        value={state ?? null}
        onChange={(value) =>
          navigate({
            search: (before) => ({ ...before, state: anomalyStates.find((each) => each === value) }),
          })
        }
        clearable
        w={150}
      />
    </Group>
  );
}

const columns: readonly Column<Anomaly>[] = [
  {
    header: "Case",
    onPhone: "title",
    cell: (anomaly) => (
      <Stack gap={0}>
        <RowLink to="/anomalies/$anomalyId" params={{ anomalyId: anomaly.id }}>
          {describeAnomaly(anomaly)}
        </RowLink>
        <Text size="xs" c="dimmed">
          {wordsFor(anomaly.kind)}
        </Text>
      </Stack>
    ),
  },
  { header: "Customer", cell: ({ customer }) => customer ?? <Nothing /> },
  { header: "Owner", cell: ({ owner }) => owner ?? <Nothing /> },
  { header: "Found", cell: ({ found_at }) => <Time at={found_at} timeZone="UTC" /> },
  { header: "State", cell: ({ state }) => <StateBadge state={state} /> },
];
