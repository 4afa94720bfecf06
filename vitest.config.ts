import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { OverdueFiles } from "./test/support/overdue-files.ts";

// Every test file is a process, and some start others: what each compiles of packages and of ours, the next one finds.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/compiled");

const isNightly = process.env.NIGHTLY === "1";
const tests = "test/**/*.test.ts";
const testsOfDomain = "test/domain/**/*.test.ts";

export default defineConfig({
  test: {
    // On two cores: servers and clocks are waited for often enough.
    maxWorkers: 3,
    teardownTimeout: 30_000,
    reporters: ["default", ...(isNightly ? [] : [new OverdueFiles(10)])],
    projects: [
      // Pure, so that files may share a process.
      {
        test: {
          name: "domain",
          include: [testsOfDomain],
          pool: "forks",
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "system",
          include: [tests],
          exclude: [testsOfDomain],
          globalSetup: ["test/support/global-setup.ts"],
          // A process for each file: Temporal's native core does not share one.
          pool: "forks",
          testTimeout: 30_000,
          // The first file that asks for a server waits for it, on a new machine for its download too.
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
