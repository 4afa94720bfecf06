import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { ReckonerApiError } from "../../sdk/index.ts";
import { isSaidAt, sentence } from "../commands/field-fault.ts";
import type { Command } from "../commands/use-command.ts";
import { UnreachableError } from "../reads/read.ts";
import { useCloseDialog } from "./dialog.tsx";

interface CommandFormProps<Answer> {
  readonly command: Command<Answer>;
  /** What the button says that does it. */
  readonly submit: string;
  /** What cannot be undone is asked for in another colour. */
  readonly isGrave?: boolean;
  /** The fields of the form, as the API calls them: what is wrong with one of these is said there, not below. */
  readonly fields?: readonly string[];
  readonly isReady?: boolean;
  readonly children: ReactNode;
  /** What the dialog shows once it is done. */
  readonly done: (answer: Answer) => ReactNode;
}

/** A form in a dialog: fields, what was refused, the way back, and the button that does it once. */
export function CommandForm<Answer>({
  command,
  submit,
  isGrave = false,
  fields = [],
  isReady = true,
  children,
  done,
}: CommandFormProps<Answer>) {
  const close = useCloseDialog();
  if (command.isSuccess) return done(command.data);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !command.isPending) command.mutate();
  };
  const isSaid = isSaidAt(command.error, fields);
  return (
    <form onSubmit={send} noValidate>
      <Stack gap="md">
        {children}
        {command.error === null || isSaid ? null : <Problem error={command.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close} disabled={command.isPending}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={command.isPending}
            disabled={!isReady}
            {...(isGrave ? { color: "red.9" } : {})}
          >
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Why something was not done, or that nobody knows whether it was. */
export function Problem({ error }: { error: Error }) {
  const isUnknown =
    error instanceof UnreachableError || (error instanceof ReckonerApiError && error.status >= 500);
  const requestId = error instanceof ReckonerApiError ? error.requestId : undefined;
  return (
    <Alert
      color={isUnknown ? "yellow" : "red"}
      variant="light"
      role="alert"
      title={titleOf(error, isUnknown)}
    >
      <Text size="sm">{sentence(error.message)}</Text>
      {isUnknown ? (
        <Text size="sm" mt={4}>
          Send it again from here: whether or not it was done, it is done once.
        </Text>
      ) : null}
      {requestId === undefined ? null : (
        <Text size="xs" c="dimmed" mt={4} style={{ overflowWrap: "anywhere" }}>
          Request {requestId}
        </Text>
      )}
    </Alert>
  );
}

function titleOf(error: Error, isUnknown: boolean): string {
  if (isUnknown) return "It is not known whether this was done";
  const code = error instanceof ReckonerApiError ? error.code : "";
  if (code === "scope_missing") return "This key may not do this";
  // The first answer was lost on its way, and the form was changed since.
  if (code === "idempotency_key_reused")
    return "It was done before, as the form said then: close it and look";
  return "This was refused";
}

interface DoneProps {
  readonly title: string;
  readonly isWaiting?: boolean;
  readonly children?: ReactNode;
}

/** What became of it, in the dialog's last state. */
export function Done({ title, isWaiting = false, children }: DoneProps) {
  const close = useCloseDialog();
  return (
    <Stack gap="md" role="status">
      <Alert color={isWaiting ? "yellow" : "ledger"} variant="light" title={title}>
        {children ? (
          <Text size="sm" component="div">
            {children}
          </Text>
        ) : null}
      </Alert>
      <Group justify="flex-end">
        <Button onClick={close} data-autofocus>
          Done
        </Button>
      </Group>
    </Stack>
  );
}
