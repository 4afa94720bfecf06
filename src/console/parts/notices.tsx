import { Button, Center, Code, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { ReckonerApiError } from "../../sdk/index.ts";
import { UnreachableError } from "../reads/read.ts";
import { EmptyIcon, WarningIcon } from "./icons.tsx";

/** While rows are on their way: as many lines as will probably come, so that little moves when they do. */
export function LoadingRows({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap="md" p="md" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => index).map((index) => (
        <Group key={index} wrap="nowrap" gap="xl">
          <Skeleton h={14} w={`${38 - (index % 3) * 6}%`} />
          <Skeleton h={14} w="18%" visibleFrom="sm" />
          <Skeleton h={14} w="12%" ml="auto" />
        </Group>
      ))}
    </Stack>
  );
}

/** Where there is nothing to show: what would be here, and what to do. */
export function EmptyNotice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap={6} maw={440} ta="center">
        <Text c="dimmed" lh={1}>
          <EmptyIcon size={28} />
        </Text>
        <Text fw={600}>{title}</Text>
        {children ? (
          <Text size="sm" c="dimmed" component="div">
            {children}
          </Text>
        ) : null}
      </Stack>
    </Center>
  );
}

/** An error in words, with what support needs to find it and, where trying again can help, a way to do that. */
export function ProblemNotice({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const { title, detail, requestId, canRetry } = explain(error);
  return (
    <Center py={48} px="md">
      <Stack align="center" gap={8} maw={520} ta="center" role="alert">
        <Text c="var(--negative)" lh={1}>
          <WarningIcon size={28} />
        </Text>
        <Title order={2} size="h4">
          {title}
        </Title>
        <Text size="sm" c="dimmed">
          {detail}
        </Text>
        {requestId ? (
          <Text size="xs" c="dimmed">
            Request <Code>{requestId}</Code>
          </Text>
        ) : null}
        {canRetry && onRetry ? (
          <Button mt="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        ) : null}
      </Stack>
    </Center>
  );
}

function explain(error: Error) {
  const { message: detail } = error;
  if (error instanceof UnreachableError)
    return { title: "Reckoner cannot be reached", detail, canRetry: true };
  if (!(error instanceof ReckonerApiError)) return { title: "This page has a fault", detail, canRetry: true };
  const { status, code, requestId } = error;
  const title = titles[code] ?? (status === 404 ? "There is nothing here" : "This could not be read");
  return {
    title,
    detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`,
    requestId,
    canRetry: status >= 429,
  };
}

const titles: Readonly<Record<string, string>> = {
  scope_missing: "This key may not read this",
  unavailable: "Reckoner is not available for the moment",
};
