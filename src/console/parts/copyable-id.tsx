import { CopyButton, Group, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** An id to read and to copy. */
export function CopyableId({ id }: { id: string }) {
  return (
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : "Copy"}>
          <UnstyledButton onClick={copy} aria-label={`Copy ${id}`} c="dimmed">
            <Group gap={4} wrap="nowrap">
              <Text span ff="monospace" size="xs" style={{ overflowWrap: "anywhere" }}>
                {id}
              </Text>
              {copied ? <CheckIcon size={14} /> : <CopyIcon size={14} />}
            </Group>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
