import { Alert, Button, Center, Code, Group, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { PersonSignIn } from "../session/person-sign-in.tsx";
import { signIn, signOutReason } from "../session/session.ts";
import mark from "./mark.svg";

/** The way in: an API key, kept in this tab until it is closed. */
export function SignIn() {
  const [key, setKey] = useState("");
  const reason = signOutReason();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() !== "") signIn(key);
  };
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={400} gap="lg">
        <Group gap="sm">
          <img src={mark} alt="" width={36} height={36} />
          <Title order={1} size="h3">
            Reckoner
          </Title>
        </Group>
        <PersonSignIn />
        <form onSubmit={submit} className="surface">
          <Stack p="lg" gap="md">
            {reason ? (
              <Alert color="red" variant="light" title="You were signed out">
                {reason}
              </Alert>
            ) : null}
            <PasswordInput
              label="API key"
              description="A key with the scope “read” shows everything here; “write” may change it."
              placeholder="rk_…"
              autoComplete="off"
              spellCheck={false}
              data-autofocus
              autoFocus
              required
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
            />
            <Button type="submit" fullWidth>
              Sign in
            </Button>
          </Stack>
        </form>
        <Text size="xs" c="dimmed">
          The key stays in this tab and is forgotten when you close it. <Code>npm start</Code> prints a link
          that signs you in.
        </Text>
      </Stack>
    </Center>
  );
}
