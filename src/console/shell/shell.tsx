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
import { spotlight } from "@mantine/spotlight";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { CommandPalette } from "../palette/command-palette.tsx";
import { DialogHost } from "../parts/dialog.tsx";
import { MoonIcon, SearchIcon, SignOutIcon, SunIcon } from "../parts/icons.tsx";
import { signOut, useKey } from "../session/session.ts";
import mark from "./mark.svg";
import { pages } from "./pages.ts";
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
            <Group gap="lg" wrap="nowrap" miw={0}>
              <Link to="/customers" className={classes.brand} aria-label="Reckoner, all customers">
                <img src={mark} alt="" width={26} height={26} />
                <Text fw={700}>Reckoner</Text>
              </Link>
              <MainNavigation />
            </Group>
            <Group gap={4} wrap="nowrap">
              <SearchButton />
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
            <CommandPalette />
            <Outlet />
          </DialogHost>
        </Container>
      </AppShell.Main>
    </AppShell>
  );
}

function MainNavigation() {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone there are more pages than room
  useEffect(() => {
    nav.current
      ?.querySelector("[data-status=active]")
      ?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [pathname]);
  return (
    <nav aria-label="Main" className={classes.nav} ref={nav}>
      {pages.map(({ path, label }) => (
        <Link key={path} to={path} className={classes.navLink} activeOptions={{ includeSearch: false }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}

function SearchButton() {
  return (
    <Tooltip label="Find anything (Ctrl K)">
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Find anything" onClick={spotlight.open}>
        <SearchIcon />
      </ActionIcon>
    </Tooltip>
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
