import { startVitest } from "vitest/node";

/** Runs the tests that have a nightly mode, in it: the same properties, with many more cases. */
const files = [
  "test/db/ledger-model.test.ts",
  "test/db/ledger-seals-mutations.test.ts",
  "test/domain/calendar/tiling.test.ts",
  "test/activities/deliveries.test.ts",
  "test/activities/hostile-stripe.test.ts",
  "test/stripe/metering.test.ts",
  "test/usage-soak/usage-soak.test.ts",
  "test/scenarios/subscription-model.test.ts",
  "test/scenarios/races-of-transactions.test.ts",
  "test/scenarios/races-of-workflows.test.ts",
  "test/scenarios/chaos-temporal.test.ts",
  // With the production server, where TEMPORAL_ENGINE says that it is.
  "test/scenarios/chaos-production-temporal.test.ts",
  "test/workflows/signal-flood.test.ts",
  "test/contract/contract.test.ts",
  "test/scenarios/agents.test.ts",
  // Most of an hour on two cores: two hundred customers live a year twice.
  "test/scenarios/year.test.ts",
];

process.env.NIGHTLY = "1";
const vitest = await startVitest("test", files, { watch: false });
await vitest.close();
