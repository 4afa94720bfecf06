import { Group, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { subscriptionStatuses } from "../customer/leading-status.ts";
import { wordsFor } from "../format/words.ts";
import { SearchIcon } from "../parts/icons.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { customersQuery } from "../reads/queries.ts";
import { CustomerTable } from "./customer-table.tsx";

const route = getRouteApi("/customers");
const searchDelayMs = 250;
const statuses = subscriptionStatuses.map((value) => ({ value, label: wordsFor(value) }));

/** All customers, found by name, id or state. The address holds what was asked for. */
export function CustomersPage() {
  const filter = route.useSearch();
  const query = useInfiniteQuery(customersQuery(filter));
  const isFiltered = filter.search !== undefined || filter.status !== undefined;
  return (
    <Stack gap="md">
      <title>Customers · Reckoner</title>
      <Group justify="space-between" align="end">
        <Title order={1} size="h2">
          Customers
        </Title>
        <CustomerFilters />
      </Group>
      <div className="surface" aria-busy={query.isFetching}>
        <LoadedList query={query} empty={isFiltered ? <NoMatch /> : <NoCustomers />}>
          {(customers) => <CustomerTable customers={customers} />}
        </LoadedList>
      </div>
    </Stack>
  );
}

function CustomerFilters() {
  const { search = "", status = null } = route.useSearch();
  const navigate = route.useNavigate();
  // While someone types, the field is ahead of the address.
  const [typed, setTyped] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => input.current?.focus()]]);
  // The address follows the typing, without a step of history for each letter.
  const searchFor = useDebouncedCallback((text: string) => {
    navigate({ search: (before) => ({ ...before, search: text.trim() || undefined }), replace: true });
  }, searchDelayMs);
  const showStatus = (value: string | null) => {
    const wanted = subscriptionStatuses.find((known) => known === value);
    navigate({ search: (before) => ({ ...before, status: wanted }) });
  };
  return (
    <Group gap="xs" wrap="nowrap" w={{ base: "100%", sm: "auto" }}>
      <TextInput
        ref={input}
        type="search"
        aria-label="Search by name, id or e-mail"
        placeholder="Name, id or e-mail ( / )"
        leftSection={<SearchIcon size={16} />}
        value={typed ?? search}
        onBlur={() => {
          searchFor.flush();
          setTyped(null);
        }}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          searchFor(event.currentTarget.value);
        }}
        flex={1}
        miw={{ sm: 280 }}
      />
      <Select
        aria-label="State"
        placeholder="Any state"
        data={statuses}
        value={status}
        onChange={showStatus}
        clearable
        w={140}
      />
    </Group>
  );
}

function NoMatch() {
  return (
    <EmptyNotice title="No customer matches">
      Search for another part of the name, id or e-mail address, or for any state.
    </EmptyNotice>
  );
}

function NoCustomers() {
  return (
    <EmptyNotice title="There are no customers yet">
      <Text span inherit>
        They appear here as soon as they are created through the API: see{" "}
        <a href="/docs">its documentation</a>.
      </Text>
    </EmptyNotice>
  );
}
