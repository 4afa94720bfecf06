import { Text } from "@mantine/core";
import { wordsFor } from "../format/words.ts";
import { Time } from "../parts/figures.tsx";
import type { Column } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";

/** What all requests have that may need a second key. */
interface Requested {
  readonly status: string;
  readonly requested_at: string;
  readonly requested_by: string;
}

/** How a request stands, when it was made, and by whom. */
export const requestColumns = (timeZone: string): readonly Column<Requested>[] => [
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  { header: "Asked for", cell: ({ requested_at }) => <Time at={requested_at} timeZone={timeZone} /> },
  {
    header: "By",
    onPhone: "hidden",
    cell: ({ requested_by }) => (
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {requested_by}
      </Text>
    ),
  },
];

/** The reason's words, and what else was said. */
export const reasonText = (reasonCode: string, words: string | null): string =>
  words === null ? wordsFor(reasonCode) : `${wordsFor(reasonCode)}: ${words}`;
