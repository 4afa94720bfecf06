import { Anchor, Group, Stack, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { CopyableId } from "../parts/copyable-id.tsx";
import { TextLink } from "../parts/links.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { customerQuery, subscriptionsQuery } from "../reads/queries.ts";
import type { Customer } from "../reads/resources.ts";
import { CustomerContext } from "./customer-context.ts";
import classes from "./customer-page.module.css";
import { leadingStatus } from "./leading-status.ts";

const route = getRouteApi("/customers/$customerId");

/** Everything about one customer: who they are, and a tab for each thing one may want to know. */
export function CustomerPage() {
  const { customerId } = route.useParams();
  const query = useQuery(customerQuery(customerId));
  return (
    <Stack gap="lg">
      <Loaded query={query}>
        {(customer) => (
          <CustomerContext value={customer}>
            <title>{`${customer.name} · Reckoner`}</title>
            <CustomerHead customer={customer} />
            <Tabs customerId={customerId} />
            <Outlet />
          </CustomerContext>
        )}
      </Loaded>
    </Stack>
  );
}

function CustomerHead({ customer: { id, name, email } }: { customer: Customer }) {
  const { data } = useInfiniteQuery(subscriptionsQuery(id));
  const status = leadingStatus(data?.pages.flatMap((page) => page.data) ?? []);
  return (
    <Stack gap={4} component="header">
      <TextLink to="/customers" size="sm" c="dimmed">
        Customers
      </TextLink>
      <Group gap="sm">
        <Title order={1} size="h2">
          {name}
        </Title>
        {status === null ? null : <StateBadge state={status} />}
      </Group>
      <Group gap="md">
        <CopyableId id={id} />
        <Anchor href={`mailto:${email}`} size="sm" c="dimmed">
          {email}
        </Anchor>
      </Group>
    </Stack>
  );
}

function Tabs({ customerId }: { customerId: string }) {
  const tab = { params: { customerId }, className: classes.tab ?? "" };
  const tabs = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone there are more tabs than room
  useEffect(() => {
    const chosen = tabs.current?.querySelector("[data-status=active]");
    chosen?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [pathname]);
  return (
    <nav aria-label="Customer" className={classes.tabs} ref={tabs}>
      <Link to="/customers/$customerId" activeOptions={{ exact: true }} {...tab}>
        Overview
      </Link>
      <Link to="/customers/$customerId/invoices" {...tab}>
        Invoices
      </Link>
      <Link to="/customers/$customerId/usage" activeOptions={{ includeSearch: false }} {...tab}>
        Usage
      </Link>
      <Link to="/customers/$customerId/corrections" {...tab}>
        Corrections
      </Link>
      <Link to="/customers/$customerId/credits" {...tab}>
        Credits
      </Link>
      <Link to="/customers/$customerId/entries" {...tab}>
        Entries
      </Link>
      <Link to="/customers/$customerId/timeline" activeOptions={{ includeSearch: false }} {...tab}>
        Timeline
      </Link>
    </nav>
  );
}
