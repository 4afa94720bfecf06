import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  acceptedSince,
  openUsageLog,
  sentEvent,
  sentEvents,
  type UsageLogFixture,
} from "./support/usage-log-fixture.ts";

let fixture: UsageLogFixture;

beforeAll(async () => {
  fixture = await openUsageLog();
});
afterAll(() => fixture.close());

test("messages of several partitions are counted once each, and the positions are the ends", async () => {
  const log = await fixture.topic("several", 4);
  const accepted = await acceptedSince(fixture.usage);
  for (let message = 0; message < 40; message++) {
    await log.send({ value: sentEvents(`several/${message}`, 25), partition: message % 4 });
  }
  const reading = log.read();
  await log.readToEnd();
  await reading.stop();
  expect(await accepted()).toBe(1_000);
  expect(await reading.metric("reckoner_usage_log_events_total", { outcome: "accepted" })).toBe(1_000);
  expect(await reading.metric("reckoner_usage_log_messages_total")).toBe(40);
});

describe("a message", () => {
  test("is read in every form that a request has", async () => {
    const log = await fixture.topic("forms", 1);
    const accepted = await acceptedSince(fixture.usage);
    const reading = log.read();
    const cloudEvent = {
      ...sentEvent("forms/cloud"),
      specversion: "1.0",
      subject: "acme",
      customer: undefined,
    };
    const lines = (name: string) =>
      [1, 2].map((n) => JSON.stringify(sentEvent(`forms/${name}/${n}`))).join("\n");
    const { data, customer, ...attributes } = sentEvent("forms/binary");
    const binary = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce_${name}`, `${value}`]),
    );
    await log.send(
      { value: sentEvent("forms/single") },
      { value: sentEvents("forms/list", 2) },
      { value: { events: sentEvents("forms/named", 2) } },
      { value: lines("lines") },
      { value: lines("told"), headers: { "content-type": "application/x-ndjson" } },
      { value: cloudEvent, headers: { "content-type": "application/cloudevents+json" } },
      { value: data, headers: { ...binary, ce_specversion: "1.0", ce_subject: `${customer}` } },
    );
    await log.readToEnd();
    await reading.stop();
    expect(await log.refusals()).toEqual([]);
    expect(await accepted()).toBe(11);
  });
});
