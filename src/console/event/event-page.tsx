import { Code, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Time } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { eventBillingQuery, eventQuery } from "../reads/queries.ts";
import type { UsageEvent } from "../reads/resources.ts";
import { EventActions, EventCorrections } from "./event-corrections.tsx";
import { EventPlaces } from "./event-places.tsx";

const route = getRouteApi("/customers/$customerId/event");

/** One usage event: what was sent under its key, and the invoice lines that it is in. */
export function EventPage() {
  const name = route.useSearch();
  const events = useQuery(eventQuery(name));
  const billing = useQuery(eventBillingQuery(name));
  const [standing] = events.data?.data ?? [];
  return (
    <Stack gap="xl">
      <title>{`Event ${name.id} · Reckoner`}</title>
      <Stack gap={2}>
        <Title order={2} size="h3">
          {name.id}
        </Title>
        <Text c="dimmed" size="sm">
          Usage event from {name.source}
        </Text>
      </Stack>
      {standing === undefined ? null : <EventActions event={standing} />}
      <Section title="Where it is billed">
        <Loaded query={billing}>{(answer) => <EventPlaces billing={answer} />}</Loaded>
      </Section>
      {standing === undefined ? null : <EventCorrections event={standing} />}
      <Section title="As it was sent">
        <Loaded query={events}>{({ data }) => <SentEvents events={data} />}</Loaded>
      </Section>
    </Stack>
  );
}

/** What stands first, then what contradicted it. */
function SentEvents({ events }: { events: readonly UsageEvent[] }) {
  const { time_zone: timeZone } = useCustomer();
  if (events.length === 0) {
    return (
      <EmptyNotice title="There is no such event">Nothing was sent under this source and id.</EmptyNotice>
    );
  }
  return (
    <Stack gap="md" p="md">
      {events.map((event) => (
        <Stack key={event.recorded_at + event.state} gap={4}>
          <Group gap="sm">
            <StateBadge state={event.state} />
            <Text size="sm">
              {event.type} at <Time at={event.time} timeZone={timeZone} />, received{" "}
              <Time at={event.recorded_at} timeZone={timeZone} />
              {event.reason === undefined ? "" : `: ${wordsFor(event.reason).toLowerCase()}`}
            </Text>
          </Group>
          <Code block>{JSON.stringify(event.data, null, 2)}</Code>
        </Stack>
      ))}
    </Stack>
  );
}
