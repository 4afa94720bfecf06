import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectInvariants } from "../db/usage-fixture.ts";
import { clients } from "./soak-batches.ts";
import { SoakClients } from "./soak-clients.ts";
import { countOf } from "./soak-events.ts";
import { expectCounted, expectEvents } from "./soak-proof.ts";
import { type SoakSystem, startSoakSystem } from "./soak-system.ts";

/**
 * What was accepted is what was counted is what was sent, whatever is killed meanwhile. At night with ten million events;
 * SOAK_EVENTS and SOAK_KILLS choose other numbers.
 */
const isNightly = process.env.NIGHTLY === "1";
const asked = Number(process.env.SOAK_EVENTS ?? (isNightly ? 10_000_000 : 60_000));
const events = Math.ceil(asked / clients) * clients;
const kills = Number(process.env.SOAK_KILLS ?? (isNightly ? 20 : 4));

let system: SoakSystem;

beforeAll(async () => {
  system = await startSoakSystem(isNightly ? 3_000 : 200);
});
afterAll(async () => {
  await system.remove();
});

test(
  `${events} events from ${clients} clients, APIs and database killed ${kills} times: accepted = windows = sent, to the event`,
  async () => {
    const sender = new SoakClients(system.target, events);
    const startedAt = performance.now();
    await Promise.all([sender.run(), killMeanwhile(sender)]);
    const seconds = secondsSince(startedAt);
    note(`answered after ${seconds} s, ${Math.round(events / seconds)} events a second`);
    note(`sent again: ${JSON.stringify(sender.unanswered)}`);

    // What was answered to nobody was in a batch that was sent more than once.
    expect(sender.unanswered).not.toEqual({});
    expect(sender.accepted).toBeLessThanOrEqual(events);
    expect(sender.accepted).toBeGreaterThanOrEqual(events - sender.inDoubt);

    const db = await timed("folded", () => system.rest());
    const count = countOf(events);
    await timed("events compared", () => expectEvents(db, events, count));
    await timed("windows compared", () => expectCounted(db, count));
    await timed("invariants", () => expectInvariants(db));
  },
  60_000 + events,
);

/** At even distances; the last one well before the end. */
async function killMeanwhile(sender: SoakClients): Promise<void> {
  for (let turn = 0; turn < kills; turn++) {
    const due = (events * (turn + 1)) / (kills + 1);
    while (sender.answered < due) await delay(5);
    note(`${sender.answered} events answered; kill ${turn + 1} of ${kills}`);
    await system.kill(turn);
  }
}

async function timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await work();
  note(`${what} in ${secondsSince(startedAt)} s`);
  return result;
}

const secondsSince = (startedAt: number) => Math.round((performance.now() - startedAt) / 10) / 100;

function note(text: string): void {
  const residentMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  if (isNightly) console.info(`${new Date().toISOString()} ${text} (${residentMiB} MiB here)`);
}
