import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../support/invariants.ts";
import { type SystemHere, startSystem } from "../support/system.ts";
import { prepareScene } from "./scene.ts";
import { skipReason, tryContract } from "./schemathesis.ts";

/**
 * The whole system against its own document: requests that a generator makes from it, right ones and wrong ones, are never
 * answered with a fault of ours, nor with anything that the document does not say. At night with many more of them.
 */
const isNightly = process.env.NIGHTLY === "1";

describe.skipIf(skipReason !== "")(`the API keeps to its document${skipReason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-contract-"));
  let system: SystemHere;
  let ids: ReadonlyMap<string, string>;
  beforeAll(async () => {
    system = await startSystem();
    ids = await prepareScene(system);
  });
  afterAll(async () => {
    await system?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("whatever is asked of it", { timeout: isNightly ? 3_600_000 : 600_000 }, async () => {
    const { apiUrl, apiKey } = system.surroundings;
    const depth = isNightly
      ? { phases: "examples,coverage,fuzzing,stateful", examplesMax: 50 }
      : { phases: "examples,fuzzing", examplesMax: 6 };
    const result = await tryContract({ apiUrl, apiKey, ids, folder, seed: 1, ...depth });
    expect(result.exitCode, result.report).toBe(0);
    expect(result.operations).toBeGreaterThan(230);
    expect(result.testCases).toBeGreaterThan(1_000);
  });

  test("and what it was asked has left the books whole", async () => {
    await system.followStripe();
    await expectInvariants(system.db);
  });
});
