import { Button, Group, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useCustomer } from "../customer/customer-context.ts";

/** The way to one event, whose source and id somebody has at hand. */
export function FindEvent() {
  const { id: customerId } = useCustomer();
  const navigate = useNavigate();
  const [source, setSource] = useState("");
  const [id, setId] = useState("");
  const isReady = source.trim() !== "" && id.trim() !== "";
  const find = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    void navigate({
      to: "/customers/$customerId/event",
      params: { customerId },
      search: { source: source.trim(), id: id.trim() },
    });
  };
  return (
    <form onSubmit={find} aria-label="Find an event">
      <Group align="flex-end" gap="sm">
        <TextInput
          label="Source of an event"
          placeholder="gateway"
          value={source}
          onChange={(event) => setSource(event.currentTarget.value)}
          flex={{ base: "1 1 100%", xs: "0 1 12rem" }}
        />
        <TextInput
          label="Its id"
          placeholder="req_812"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
          flex={{ base: "1 1 100%", xs: "1 1 16rem" }}
          maw={{ xs: "24rem" }}
        />
        <Button type="submit" variant="default" disabled={!isReady}>
          Find it
        </Button>
      </Group>
    </form>
  );
}
