import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** What a record is, with a few words more below. */
export function TitledText({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <Stack gap={0}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Text size="xs" c="dimmed">
        {children}
      </Text>
    </Stack>
  );
}
