import { SegmentedControl, SimpleGrid, Stack, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { counted } from "../format/quantity.ts";
import { Figure } from "../parts/figure-card.tsx";
import { Loaded, LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import {
  endpointsQuery,
  queuesQuery,
  type RunChoice,
  readinessQuery,
  runChoices,
  runCountQuery,
  runsQuery,
  stripeEventsQuery,
} from "../reads/running-queries.ts";
import { EndpointTable } from "./endpoint-table.tsx";
import { QueueTable } from "./queue-table.tsx";
import { RunTable } from "./run-table.tsx";
import { StripeEventTable } from "./stripe-event-table.tsx";

const route = getRouteApi("/operations");
const names: Readonly<Record<RunChoice, string>> = {
  attention: "Needs attention",
  running: "Running",
  failed: "Failed",
  completed: "Completed",
};
const choices = (Object.keys(runChoices) as RunChoice[]).map((value) => ({ value, label: names[value] }));

/** Whether everything works, what waits, and what needs somebody. */
export function OperationsPage() {
  const { runs: choice = "attention" } = route.useSearch();
  const navigate = route.useNavigate();
  const control = (
    <SegmentedControl
      size="xs"
      aria-label="Which runs"
      data={choices}
      value={choice}
      onChange={(value) =>
        navigate({ search: { runs: choices.find((each) => each.value === value)?.value } })
      }
    />
  );
  return (
    <Stack gap="xl">
      <title>Operations · Reckoner</title>
      <Title order={1} size="h2">
        Operations
      </Title>
      <Health />
      <Section title="Queues">
        <Loaded query={useQuery(queuesQuery())}>{({ data }) => <QueueTable queues={data} />}</Loaded>
      </Section>
      <Section title="Runs" aside={control}>
        <LoadedList
          query={useInfiniteQuery(runsQuery(choice))}
          empty={<EmptyNotice title="There is no such run" />}
        >
          {(runs) => <RunTable runs={runs} />}
        </LoadedList>
      </Section>
      <StripeEvents />
      <Section title="Webhook endpoints">
        <LoadedList
          query={useInfiniteQuery(endpointsQuery())}
          empty={<EmptyNotice title="No endpoint">Nobody is told of anything by webhook.</EmptyNotice>}
        >
          {(endpoints) => <EndpointTable endpoints={endpoints} />}
        </LoadedList>
      </Section>
    </Stack>
  );
}

function Health() {
  const { data: readiness, isError } = useQuery(readinessQuery());
  const { data: attention } = useQuery(runCountQuery("attention"));
  const { data: running } = useQuery(runCountQuery("running"));
  const health = isError ? "Not ready" : readiness && (readiness.ready ? "Ready" : "Not ready");
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
      <Figure label="API" value={health} note="Database and process engine" />
      <Figure
        label="Need attention"
        value={attention?.total}
        note={attention?.total === 0 ? "No step is parked" : "Parked until somebody decides"}
      />
      <Figure label="Runs under way" value={running?.total} note={counted(running?.total ?? 0, "workflow")} />
    </SimpleGrid>
  );
}

function StripeEvents() {
  const query = useInfiniteQuery(stripeEventsQuery("parked"));
  return (
    <Section title="Stripe events that could not be applied">
      <LoadedList query={query} empty={<EmptyNotice title="All were applied" />}>
        {(events) => <StripeEventTable events={events} />}
      </LoadedList>
    </Section>
  );
}
