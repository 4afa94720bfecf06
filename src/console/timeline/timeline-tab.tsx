import { Group, Select, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCustomer } from "../customer/customer-context.ts";
import { formatTime } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { TextLink } from "../parts/links.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { timelineQuery } from "../reads/report-queries.ts";
import { describeItem, type TimelineItem } from "./describe-item.ts";
import { timelineAbouts } from "./timeline-abouts.ts";
import classes from "./timeline-tab.module.css";

const route = getRouteApi("/customers/$customerId/timeline");
const choices = timelineAbouts.map((value) => ({ value, label: wordsFor(value) }));

/** Everything that happened to a customer, with the runs and the objects at Stripe that it happened by. */
export function TimelineTab() {
  const { id } = useCustomer();
  const { about } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(timelineQuery(id, about));
  const filter = (
    <Select
      aria-label="About what"
      placeholder="About everything"
      size="xs"
      w={170}
      data={choices}
      value={about ?? null}
      onChange={(value) => navigate({ search: { about: timelineAbouts.find((each) => each === value) } })}
      clearable
    />
  );
  return (
    <Section title="Timeline" aside={filter}>
      <LoadedList query={query} empty={<EmptyNotice title="Nothing of this kind has happened" />}>
        {(items) => (
          <ol className={classes.items}>
            {items.map((item) => (
              <Item key={item.id} item={item} />
            ))}
          </ol>
        )}
      </LoadedList>
    </Section>
  );
}

function Item({ item }: { item: TimelineItem }) {
  const { id: customerId, time_zone } = useCustomer();
  const { at, about, invoice, note, actor, workflow, stripe } = item;
  return (
    <li className={classes.item}>
      <Text component="time" dateTime={at} title={at} size="xs" c="dimmed" className="figure">
        {formatTime(at, time_zone)}
      </Text>
      <span className={classes.mark} data-about={about} />
      <Stack gap={2} miw={0}>
        <Text size="sm" fw={600}>
          {invoice === null ? (
            describeItem(item)
          ) : (
            <TextLink
              to="/customers/$customerId/invoices/$invoiceId"
              params={{ customerId, invoiceId: invoice }}
              size="sm"
              fw={600}
            >
              {describeItem(item)}
            </TextLink>
          )}
        </Text>
        {note === null && actor === null ? null : (
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {[note, actor === null ? null : `by ${actor}`].filter((text) => text !== null).join(" · ")}
          </Text>
        )}
        {workflow === null && stripe === null ? null : (
          <Group gap="md">
            {workflow === null ? null : <CopyableId id={workflow} />}
            {stripe === null ? null : <CopyableId id={stripe} />}
          </Group>
        )}
      </Stack>
    </li>
  );
}
