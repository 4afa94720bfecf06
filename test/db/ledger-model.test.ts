import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerFixture } from "./ledger-fixture.ts";
import { runSequence } from "./ledger-model-run.ts";
import { anySequence, type Operation } from "./ledger-operations.ts";
import { keptSeeds, keptSequences } from "./ledger-seeds.ts";

/**
 * Any sequence of operations does to the database what it does to the model, and V1 to V5 hold after each of them.
 * `npm run test:nightly` runs many more.
 */

const isNightly = process.env.NIGHTLY === "1";
const operationsMin = isNightly ? 100_000 : 2_000;
const minutesMax = isNightly ? 180 : 10;

const kindsOf = (name: string, kinds: readonly string[]) => kinds.map((kind) => `${name}: ${kind}`);
const ofEntries = [
  "created",
  "exists",
  "exists_different",
  "insufficient",
  "account_missing",
  "period_closed",
];
const everyKind = [
  ...kindsOf("post", [...ofEntries, "refused"]),
  ...kindsOf("settle", [...ofEntries, "refused", "over_limit", "hold_missing", "hold_resolved"]),
  ...kindsOf("place", ["created", "exists", "exists_different", "insufficient"]),
  ...kindsOf("release", ["released", "exists", "hold_resolved", "hold_missing"]),
  ...kindsOf("expire", ["some", "none"]),
  ...kindsOf("close", ["true", "false"]),
  ...kindsOf("carry", ["a month", "nothing"]),
  ...["fold", "prepare", "seal"].flatMap((name) => kindsOf(name, ["some", "nothing"])),
  ...["a late entry", "a reversal", "a twin in its batch"],
  ...["entries in several partitions", "a batch across two partitions"],
];

const occurrences = new Map<string, number>();
let operationCount = 0;

async function runAndCount(operations: readonly Operation[]): Promise<void> {
  await runSequence(operations, (what) => occurrences.set(what, (occurrences.get(what) ?? 0) + 1));
  operationCount += operations.length;
}

/** Kept seeds first, then new ones until there were enough operations. */
function* seeds(): Generator<number> {
  yield* keptSeeds;
  for (let seed = Date.now() % 1_000_000_000; operationCount < operationsMin; seed++) yield seed;
}

/** What fails is made smaller for some minutes and reported with its seed, to be kept in ledger-seeds.ts. */
async function runSeeds(left: Iterable<number>): Promise<void> {
  for (const seed of left) {
    await fc.assert(fc.asyncProperty(anySequence, runAndCount), {
      seed,
      numRuns: 4,
      interruptAfterTimeLimit: 180_000,
    });
    if (isNightly)
      console.info(
        `seed ${seed}: ${operationCount} operations in ${Math.round(performance.now() / 1_000)} s`,
      );
  }
}

describe("any sequence does to the database what it does to the model", () => {
  test.each(keptSequences)("$why", ({ sequence }) => runSequence(sequence));

  test(`${operationsMin} operations`, { timeout: minutesMax * 60_000 }, async () => {
    const left = seeds();
    // Two at a time: one waits for the database while the other compares.
    const lanes = await Promise.allSettled([runSeeds(left), runSeeds(left)]);
    for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
    if (isNightly) console.info(Object.fromEntries(occurrences));
  });

  test("everything that can happen has happened among them", () => {
    expect(everyKind.filter((kind) => !occurrences.has(kind))).toEqual([]);
  });
});

/** A comparison that could not fail would say nothing: each of these is found within a few sequences. */
describe("what is broken on purpose is found", () => {
  test.each([
    { name: "walk", part: "amount > rooms[slot]", other: "amount >= rooms[slot]" },
    { name: "record_entries", part: "else greatest(effective_at, open_since)", other: "else effective_at" },
    { name: "fold_hot_balances", part: "credit = balance.credit + change.credit, ", other: "" },
    { name: "give_back", part: "-sum(amount)", other: "-min(amount)" },
    { name: "require_mirrored", part: "undone.reverses is not null", other: "false" },
  ])("$name with “$other” for “$part”", async ({ name, part, other }) => {
    const plant = async ({ owner: { sql } }: LedgerFixture) => {
      const [found] = await sql<{ text: string }[]>`
        select pg_get_functiondef(oid) as text from pg_proc
        where proname = ${name} and pronamespace = 'ledger'::regnamespace`;
      expect(found?.text).toContain(part);
      await sql.unsafe(found?.text.replaceAll(part, other) ?? "");
    };
    const sequences = fc.asyncProperty(anySequence, (operations) => runSequence(operations, () => {}, plant));
    const { failed } = await fc.check(sequences, { seed: 1, numRuns: 10, endOnFailure: true });
    expect(failed).toBe(true);
  });
});
