import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashOf, newApiKeySecret, prefixOf } from "../../src/api/api-key-secret.ts";
import { insertApiKey } from "../../src/db/access.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { expectInvariants, openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { type BatchAnswer, wireEvent } from "./support/ingest-api.ts";

/** An API as a process of its own, at an address that survives it. */
class ApiProcess {
  readonly url: string;
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;

  constructor(databaseUrl: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const program = join(import.meta.dirname, "../sdk/support/api-process.ts");
    this.#arguments = [program, databaseUrl, String(port)];
  }

  async start(): Promise<void> {
    const started = spawn(process.execPath, this.#arguments, { stdio: ["ignore", "inherit", "inherit"] });
    this.#process = started;
    const isUp = () =>
      fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) {
      if (started.exitCode !== null) throw new Error(`the API ended with code ${started.exitCode}`);
      await delay(50);
    }
  }

  async kill(): Promise<void> {
    const { exitCode = 0 } = this.#process ?? {};
    if (this.#process === undefined || exitCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

let fixture: UsageFixture;
let apis: ApiProcess[];
const key = newApiKeySecret();

beforeAll(async () => {
  fixture = await openUsage();
  await insertApiKey(fixture.db.orm, {
    id: "key_faults",
    prefix: prefixOf(key),
    secretHash: hashOf(key),
    name: "faults",
    scopes: ["usage:write"],
    createdAt: instant("2026-01-01T00:00:00Z"),
    expiresAt: null,
  });
  const ports = [await freePort(), await freePort()];
  apis = ports.map((port) => new ApiProcess(fixture.appUrl, port));
  await Promise.all(apis.map((api) => api.start()));
}, 120_000);
afterAll(async () => {
  for (const api of apis) await api.kill();
  await fixture.close();
});

const batchSize = 40;
const batchOf = (sender: number, batch: number) =>
  Array.from({ length: batchSize }, (_, n) =>
    wireEvent({
      id: `${sender}/${batch}/${n}`,
      source: "faults",
      time: `2026-02-${10 + (batch % 10)}T${10 + (n % 10)}:00:00Z`,
      data: { model: n % 2 === 0 ? "large" : "small", class: "input", tokens: n },
    }),
  );

/** Sends until it is answered, now here, now there, as a client does that knows both. */
async function insist(
  batch: readonly object[],
  first: number,
): Promise<{ answer: BatchAnswer; tries: number }> {
  for (let tries = 1; ; tries++) {
    const url = apis[(first + tries) % apis.length]?.url;
    const request = {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    };
    const response = await fetch(`${url}/v1/events`, { ...request, body: JSON.stringify(batch) }).catch(
      () => undefined,
    );
    if (response?.status === 200) return { answer: (await response.json()) as BatchAnswer, tries };
    await response?.body?.cancel();
    await delay(20);
  }
}

test("two APIs on one database, killed under senders that repeat: every event is counted once", async () => {
  const senders = 4;
  const sent = Array.from({ length: senders }, () => 0);
  const accepted = Array.from({ length: senders }, () => 0);
  let [interrupted, isOver] = [0, false];
  const sending = sent.map(async (_, sender) => {
    for (let batch = 0; !isOver; batch++) {
      // Twice at the same time, by both ways: one of them must find the other's events.
      const both = await Promise.all([0, 1].map((first) => insist(batchOf(sender, batch), first)));
      for (const { answer, tries } of both) {
        expect(answer.accepted + answer.duplicates).toBe(batchSize);
        accepted[sender] = (accepted[sender] ?? 0) + answer.accepted;
        interrupted += tries - 1;
      }
      sent[sender] = batch + 1;
    }
  });
  for (const api of [...apis, ...apis.slice(0, 1)]) {
    const before = sumOf(sent);
    await expect.poll(() => sumOf(sent), { timeout: 30_000 }).toBeGreaterThan(before + 2 * senders);
    await api.kill();
    await api.start();
  }
  isOver = true;
  await Promise.all(sending);

  expect(interrupted).toBeGreaterThan(0);
  const events = sumOf(sent) * batchSize;
  const [stored] = await fixture.db.sql`
    select count(*) as events, count(distinct id) as ids from usage.event where source = 'faults'`;
  expect({ ...stored }).toEqual({ events: BigInt(events), ids: BigInt(events) });
  // What was answered to a process that is dead is known to the database alone.
  expect(sumOf(accepted)).toBeLessThanOrEqual(events);
  const [counted] = await fixture.db.sql`
    select count(*) as events, sum(quantity) as tokens from usage.contribution where meter = 2`;
  expect(Number(counted?.events)).toBe(events);
  expect(Number(counted?.tokens)).toBe(sumOf(sent) * 780); // 0 + 1 + … + 39 in each batch
  await expectInvariants(fixture.db);
}, 240_000);

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
