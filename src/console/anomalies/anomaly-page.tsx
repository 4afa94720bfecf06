import { Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Schemas } from "../../sdk/index.ts";
import { wordsFor } from "../format/words.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { DefinitionList } from "../parts/definition-list.tsx";
import { DialogButton } from "../parts/dialog.tsx";
import { Time } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { anomalyQuery } from "../reads/report-queries.ts";
import { useRights } from "../session/rights.ts";
import { describeAnomaly, evidenceOf, explainAnomaly } from "./describe-anomaly.ts";
import { NoteForm } from "./note-form.tsx";

const route = getRouteApi("/anomalies/$anomalyId");

/** One case: what is unusual, how that was found, where to mend it, and what was done about it. */
export function AnomalyPage() {
  const { anomalyId } = route.useParams();
  return <Loaded query={useQuery(anomalyQuery(anomalyId))}>{(anomaly) => <Case anomaly={anomaly} />}</Loaded>;
}

function Case({ anomaly }: { anomaly: Schemas["AnomalyDetail"] }) {
  const { mayWrite } = useRights();
  const note = mayWrite ? (
    <DialogButton label="Note, owner or state" title="What was done">
      <NoteForm anomaly={anomaly} />
    </DialogButton>
  ) : null;
  return (
    <Stack gap="lg">
      <title>{`${describeAnomaly(anomaly)} · Reckoner`}</title>
      <Stack gap={4} component="header">
        <TextLink to="/anomalies" size="sm" c="dimmed">
          Anomalies
        </TextLink>
        <Group gap="sm">
          <Title order={1} size="h3">
            {describeAnomaly(anomaly)}
          </Title>
          <StateBadge state={anomaly.state} />
        </Group>
        <Group gap="md">
          <Text size="sm" c="dimmed">
            {wordsFor(anomaly.kind)}
          </Text>
          <CopyableId id={anomaly.id} />
        </Group>
      </Stack>
      <Section title="Evidence" aside={<Mend anomaly={anomaly} />}>
        <Text size="sm" p="md" pb={0} maw="60em">
          {explainAnomaly(anomaly)}
        </Text>
        <DefinitionList items={evidenceOf(anomaly)} />
      </Section>
      <Section title="What was done" aside={note}>
        <Notes notes={anomaly.notes} owner={anomaly.owner} />
      </Section>
    </Stack>
  );
}

/** The page on which it is looked into and mended. */
function Mend({ anomaly: { customer, subject } }: { anomaly: Schemas["AnomalyDetail"] }) {
  if (customer === null) {
    return (
      <TextLink to="/operations" size="sm">
        Operations
      </TextLink>
    );
  }
  return (
    <Group gap="md">
      {subject.type === "invoice" ? (
        <TextLink
          to="/customers/$customerId/invoices/$invoiceId"
          params={{ customerId: customer, invoiceId: subject.id }}
          size="sm"
        >
          Explain, credit or void the invoice
        </TextLink>
      ) : null}
      <TextLink to="/customers/$customerId" params={{ customerId: customer }} size="sm">
        The customer
      </TextLink>
    </Group>
  );
}

function Notes({ notes, owner }: { notes: Schemas["AnomalyDetail"]["notes"]; owner: string | null }) {
  if (notes.length === 0) return <EmptyNotice title="Nobody has looked at it yet" />;
  return (
    <Stack component="ol" gap="sm" p="md" m={0} style={{ listStyle: "none" }}>
      {notes.map(({ id, note, state, owner: given, noted_by, noted_at }) => (
        <li key={id}>
          <Text size="sm">
            {[
              note,
              state === null ? null : `State: ${wordsFor(state)}`,
              given === null ? null : `Owner: ${given}`,
            ]
              .filter((text) => text !== null)
              .join(" · ")}
          </Text>
          <Text size="xs" c="dimmed">
            {noted_by}, <Time at={noted_at} timeZone="UTC" />
          </Text>
        </li>
      ))}
      {owner === null ? null : (
        <Text component="li" size="sm" c="dimmed">
          {owner} takes care of it.
        </Text>
      )}
    </Stack>
  );
}
