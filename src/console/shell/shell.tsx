import {
  ActionIcon,
  AppShell,
  Container,
  Group,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { useEffect } from "react";
import { DialogHost } from "../parts/dialog.tsx";
import { MoonIcon, SignOutIcon, SunIcon } from "../parts/icons.tsx";
import { signOut, useKey } from "../session/session.ts";
import mark from "./mark.svg";
import classes from "./shell.module.css";
import { SignIn } from "./sign-in.tsx";

/** What is around every page: the way to it, the colour scheme, the way out. Without a key there is only the way in. */
export function Shell() {
  const key = useKey();
  const queries = useQueryClient();
  useEffect(() => {
    // What one key could read is not shown under another.
    if (key === null) queries.clear();
  }, [key, queries]);
  if (key === null) return <SignIn />;
  return (
    <AppShell header={{ height: 56 }}>
      <a href="#content" className="skip-link">
        Skip to the content
      </a>
      <AppShell.Header className={classes.header}>
        <Container size="xl" h="100%">
          <Group h="100%" justify="space-between" wrap="nowrap">
            <Group gap="lg" wrap="nowrap">
              <Link to="/customers" className={classes.brand} aria-label="Reckoner, all customers">
                <img src={mark} alt="" width={26} height={26} />
                <Text fw={700}>Reckoner</Text>
              </Link>
              <MainNavigation />
            </Group>
            <Group gap={4} wrap="nowrap">
              <ColorSchemeToggle />
              <Tooltip label="Sign out">
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="lg"
                  aria-label="Sign out"
                  onClick={() => signOut()}
                >
                  <SignOutIcon />
                </ActionIcon>
              </Tooltip>
            </Group>
          </Group>
        </Container>
      </AppShell.Header>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Container size="xl" py="lg">
          <DialogHost>
            <Outlet />
          </DialogHost>
        </Container>
      </AppShell.Main>
    </AppShell>
  );
}

function MainNavigation() {
  return (
    <nav aria-label="Main">
      <Link to="/customers" className={classes.navLink}>
        Customers
      </Link>
      <Link to="/approvals" className={classes.navLink}>
        Approvals
      </Link>
    </nav>
  );
}

function ColorSchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const current = useComputedColorScheme("light");
  const other = current === "dark" ? "light" : "dark";
  const label = other === "dark" ? "Dark colours" : "Light colours";
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={label}
        onClick={() => setColorScheme(other)}
      >
        {other === "dark" ? <MoonIcon /> : <SunIcon />}
      </ActionIcon>
    </Tooltip>
  );
}
