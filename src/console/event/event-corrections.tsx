import { Code, Group, Stack, Text } from "@mantine/core";
import { AmendEventForm, VoidEventForm } from "../corrections/event-correction-forms.tsx";
import { isVoided } from "../corrections/standing-data.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { DialogButton } from "../parts/dialog.tsx";
import { Time } from "../parts/figures.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { UsageEvent } from "../reads/resources.ts";
import { useRights } from "../session/rights.ts";

/** Ways to correct an event that counts. */
export function EventActions({ event }: { event: UsageEvent }) {
  const { mayWrite } = useRights();
  if (!mayWrite || event.state !== "accepted" || isVoided(event)) return null;
  return (
    <Group gap="xs">
      <DialogButton label="Amend" title={`Amend ${event.id}`}>
        <AmendEventForm event={event} />
      </DialogButton>
      <DialogButton label="Void" title={`Void ${event.id}`} isGrave>
        <VoidEventForm event={event} />
      </DialogButton>
    </Group>
  );
}

/** What became of an event since it came; nothing where nothing did. */
export function EventCorrections({ event: { corrections = [] } }: { event: UsageEvent }) {
  const { time_zone: timeZone } = useCustomer();
  if (corrections.length === 0) return null;
  return (
    <Section title="Corrections">
      <Stack gap="md" p="md">
        {corrections.map(({ correction, kind, reason_code, note, requested_by, effective_at, data }) => (
          <Stack key={correction} gap={4}>
            <Group gap="sm">
              <StateBadge state={kind === "void" ? "voided" : "amended"} />
              <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                <Time at={effective_at} timeZone={timeZone} />, asked for by {requested_by}.{" "}
                {wordsFor(reason_code)}
                {note === null ? "" : `: ${note}`}
              </Text>
            </Group>
            {data === undefined ? null : <Code block>{JSON.stringify(data, null, 2)}</Code>}
          </Stack>
        ))}
      </Stack>
    </Section>
  );
}
