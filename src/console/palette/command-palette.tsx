import { Group, Modal, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight } from "@mantine/spotlight";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { wordsFor } from "../format/words.ts";
import { SearchIcon } from "../parts/icons.tsx";
import { searchQuery } from "../reads/report-queries.ts";
import { pages } from "../shell/pages.ts";
import { addressOf } from "./found-address.ts";

const typingMs = 150;

interface Choice {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly path: string;
}

/** Finds anything and goes there, by keyboard alone: Ctrl K or ⌘ K from everywhere. */
export function CommandPalette() {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text.trim(), typingMs);
  const query = useQuery(searchQuery(asked));
  const { history } = useRouter();
  const found = asked === "" ? [] : (query.data?.data ?? []);
  const choices: Choice[] = [
    ...found.flatMap((each) => {
      const path = addressOf(each);
      if (path === null) return [];
      const owner = each.customer === null || each.type === "customer" ? each.id : each.customer.name;
      return {
        id: `${each.type} ${each.id}`,
        label: each.title,
        note: `${wordsFor(each.type)} · ${owner}`,
        path,
      };
    }),
    ...pages
      .filter(({ label }) => label.toLowerCase().includes(text.trim().toLowerCase()))
      .map(({ label, path }) => ({ id: path, label, note: "Page", path })),
  ];
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      scrollable
      maxHeight={420}
      transitionProps={{ duration: 0 }}
    >
      <Modal.Title className="for-screen-readers">Find anything</Modal.Title>
      <Spotlight.Search
        aria-label="Find anything"
        placeholder="A name, an e-mail address, an id, an invoice number…"
        leftSection={<SearchIcon />}
      />
      <Spotlight.ActionsList aria-label="What was found">
        {choices.map(({ id, label, note, path }) => (
          <Spotlight.Action key={id} onClick={() => history.push(`/console${path}`)}>
            <Group justify="space-between" w="100%" wrap="nowrap">
              <Stack gap={0} miw={0}>
                <Text size="sm" fw={600} truncate>
                  {label}
                </Text>
              </Stack>
              <Text size="xs" c="dimmed" truncate>
                {note}
              </Text>
            </Group>
          </Spotlight.Action>
        ))}
        {choices.length === 0 ? (
          <Spotlight.Empty>{query.isFetching ? "Looking…" : "Nothing is called so."}</Spotlight.Empty>
        ) : null}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
