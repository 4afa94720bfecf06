import { Code, List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import classes from "../invoice/rating-detail.module.css";
import { TextLink } from "../parts/links.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { correctionQuery } from "../reads/operation-queries.ts";

const shownMax = 50;

/** The events that a correction is about, read when somebody wants to see them. */
export function CorrectionEvents({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={classes.detail} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Its events</summary>
      {isOpen ? <Events id={id} /> : null}
    </details>
  );
}

function Events({ id }: { id: string }) {
  const query = useQuery(correctionQuery(id));
  return (
    <Loaded query={query}>
      {({ events, event_count: count }) => (
        <>
          <List size="sm" py="xs" aria-label="Events of the correction" listStyleType="none">
            {events.slice(0, shownMax).map(({ customer, source, id: eventId, data }) => (
              <List.Item key={`${source} ${eventId}`}>
                <TextLink
                  to="/customers/$customerId/event"
                  params={{ customerId: customer }}
                  search={{ source, id: eventId }}
                  size="sm"
                >
                  {eventId}
                </TextLink>{" "}
                of {customer}, from {source}
                {data === undefined ? null : (
                  <>
                    , to say <Code>{JSON.stringify(data)}</Code>
                  </>
                )}
              </List.Item>
            ))}
          </List>
          {count > shownMax ? (
            <Text size="xs" c="dimmed">
              And {count - shownMax} more.
            </Text>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
