import { Group, Stack, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface SectionProps {
  readonly title: string;
  /** Beside the title: a link to more, a control. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A titled surface. */
export function Section({ title, aside, children }: SectionProps) {
  const titleId = useId();
  return (
    <Stack component="section" gap="xs" aria-labelledby={titleId}>
      <Group justify="space-between" align="baseline" gap="xs">
        <Title order={2} size="h5" id={titleId}>
          {title}
        </Title>
        {aside}
      </Group>
      <div className="surface">{children}</div>
    </Stack>
  );
}
