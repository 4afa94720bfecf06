import { expect, test } from "vitest";
import {
  type BackfillCommand,
  type BackfillState,
  backfillAfter,
} from "../../../src/domain/corrections/index.ts";
import { BillingError } from "../../../src/domain/errors.ts";

function outcome(state: BackfillState, command: BackfillCommand): string {
  try {
    return backfillAfter(state, command);
  } catch (error) {
    return error instanceof BillingError ? error.code : String(error);
  }
}

test.each([
  { state: "open", command: "add_events", after: "open" },
  { state: "open", command: "close", after: "closed" },
  { state: "open", command: "revert", after: "reverted" },
  { state: "closed", command: "add_events", after: "usage_backfill_closed" },
  { state: "closed", command: "close", after: "closed" },
  { state: "closed", command: "revert", after: "reverted" },
  { state: "reverted", command: "add_events", after: "usage_backfill_reverted" },
  { state: "reverted", command: "close", after: "usage_backfill_reverted" },
  { state: "reverted", command: "revert", after: "reverted" },
] as const)("$command of one that is $state: $after", ({ state, command, after }) => {
  expect(outcome(state, command)).toBe(after);
});
