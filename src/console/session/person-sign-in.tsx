import { Alert, Button, Divider, Group, PasswordInput, Select, Stack } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import { resumeSession } from "./session.ts";

/** How people may sign in at this deployment. */
interface Ways {
  readonly provider: boolean;
  readonly local: boolean;
}

const localRoles = ["viewer", "support", "finance", "product", "operator", "admin"];

/** The way in for people; nothing where only keys are let in. Who has a session already goes on with it. */
export function PersonSignIn() {
  const [ways, setWays] = useState<Ways>({ provider: false, local: false });
  useEffect(() => {
    void resumeSession().then(async (isIn) => {
      const answer = isIn ? undefined : await fetch("/auth/ways").catch(() => undefined);
      if (answer?.ok === true) setWays(await answer.json());
    });
  }, []);
  const failure = new URLSearchParams(location.search).get("sign_in_failed");
  if (!ways.provider && !ways.local) return null;
  return (
    <Stack gap="md">
      {failure === null ? null : (
        <Alert color="red" variant="light" title="You are not signed in">
          {failure}
        </Alert>
      )}
      {ways.provider ? (
        <Button
          component="a"
          fullWidth
          href={`/auth/sign-in?${new URLSearchParams({ return_to: location.pathname })}`}
        >
          Sign in with your organisation
        </Button>
      ) : null}
      {ways.local ? <LocalSignIn /> : null}
      <Divider label="or with a key" />
    </Stack>
  );
}

/** For development: any role, with the password that `npm start` prints. */
function LocalSignIn() {
  const [role, setRole] = useState("admin");
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await fetch("/auth/local", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ role, password }),
    });
    if (answer.ok) await resumeSession();
    else setRefusal("The password is not right: npm start prints it.");
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="xs">
        <Group grow align="start">
          <Select
            label="As"
            data={localRoles}
            value={role}
            allowDeselect={false}
            onChange={(chosen) => setRole(chosen ?? role)}
          />
          <PasswordInput
            label="Password for development"
            autoComplete="current-password"
            required
            error={refusal}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </Group>
        <Button type="submit" variant="default" fullWidth>
          Sign in here
        </Button>
      </Stack>
    </form>
  );
}
