import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // A process for each file: Temporal's native core does not share one.
    pool: "forks",
    // On two cores: servers and clocks are waited for often enough.
    maxWorkers: 3,
    testTimeout: 30_000,
    // The first file that asks for a server waits for it, on a new machine for its download too.
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
  },
});
