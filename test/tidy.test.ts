import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

/** Who may import whom (values; type imports are free), the purity of the domain, and how long a file may be. */

const root = resolve(import.meta.dirname, "..");

interface SourceFile {
  /** From the project's folder, with slashes. */
  readonly path: string;
  readonly text: string;
  /** What is imported for its value: our own files by path, packages by name. */
  readonly imports: readonly string[];
}

const files: SourceFile[] = ["src", "test", "bench"].flatMap(sourcesBelow);

/** Entry points put a part together, so they read the configuration; nothing else of its folder does. */
const entryPoints = [
  "src/api/main.ts",
  "src/api/write-openapi.ts",
  "src/workers/main.ts",
  "src/db/migrate.ts",
  "src/compose.ts",
  "src/start-failure.ts",
];

const everyPart = ["heap.ts", "config.ts", "config", "logger.ts", "compose.ts", "start-failure.ts"];

/** Folder below src → what its files may import, as folders or files below src, and packages. */
const mayImport: Record<string, { ours: string[]; packages: string[] }> = {
  "domain/calendar": { ours: ["domain/calendar", "domain/errors.ts"], packages: ["temporal-polyfill"] },
  "domain/lifecycle": { ours: ["domain/lifecycle", "domain/calendar", "domain/errors.ts"], packages: [] },
  domain: { ours: ["domain"], packages: ["temporal-polyfill", "zod"] },
  workflows: {
    ours: ["workflows", "domain/calendar", "domain/lifecycle"],
    packages: ["@temporalio/workflow", "@temporalio/common"],
  },
  db: {
    ours: ["db", "domain"],
    packages: [
      "drizzle-orm",
      "postgres",
      "postgres-array",
      "@aws-sdk/client-s3",
      "hyparquet",
      "hyparquet-writer",
      "node:",
    ],
  },
  stripe: { ours: ["stripe", "domain"], packages: ["stripe", "node:"] },
  temporal: {
    ours: [
      "temporal",
      "workflows/messages.ts",
      "workflows/priorities.ts",
      "workflows/run-labels.ts",
      "workflows/search-attributes.ts",
      "domain",
    ],
    packages: [
      "@temporalio/client",
      "@temporalio/common",
      "@temporalio/proto",
      "@temporalio/activity",
      "@temporalio/worker",
      "node:",
    ],
  },
  activities: {
    ours: ["activities", "domain", "db", "stripe", "temporal", "workflows/messages.ts"],
    packages: ["@temporalio/activity", "node:"],
  },
  api: {
    ours: ["api", "domain", "db", "stripe", "temporal", "workflows/messages.ts"],
    packages: [
      "fastify",
      "fastify-type-provider-zod",
      "@fastify/",
      "@scalar/",
      "openid-client",
      "zod",
      "pino",
      "prom-client",
      "pdfkit",
      "drizzle-orm",
      "node:",
    ],
  },
  sdk: { ours: ["sdk"], packages: ["openapi-fetch", "node:"] },
  console: {
    ours: ["console", "sdk"],
    packages: ["react", "react-dom", "@mantine/", "@tanstack/", "recharts", "vite", "@vitejs/", "node:"],
  },
  // Proofs of the data ask the database itself: the API that wrote them may be what is wrong.
  cli: {
    ours: ["cli", "sdk", "domain", "db", "stripe", ...everyPart],
    packages: ["commander", "yaml", "node:"],
  },
  sandbox: { ours: ["sandbox", "domain", "sdk", ...everyPart], packages: [] },
};

describe("who imports whom", () => {
  test.each(files.filter(({ path }) => path.startsWith("src/") && folderOf(path) !== undefined))(
    "$path",
    (file) => {
      const folder = folderOf(file.path) ?? "";
      const { ours, packages } = mayImport[folder] ?? { ours: [], packages: [] };
      const allowed = entryPoints.includes(file.path) ? [...ours, ...everyPart] : ours;
      const forbidden = file.imports.filter((imported) =>
        imported.startsWith("src/")
          ? !allowed.some((part) => imported === `src/${part}` || imported.startsWith(`src/${part}/`))
          : packages.length > 0 &&
            !packages.some((name) => imported === name || imported.startsWith(nested(name))),
      );
      expect(forbidden).toEqual([]);
    },
  );

  test("nothing that runs in production imports the sandbox", () => {
    const importers = files.filter(
      ({ path, imports }) =>
        path.startsWith("src/") &&
        !path.startsWith("src/sandbox/") &&
        imports.some((imported) => imported.startsWith("src/sandbox/")),
    );
    expect(importers.map(({ path }) => path)).toEqual([]);
  });

  test("the stand-in for Stripe shares nothing with the engine but its configuration", () => {
    const imported = files
      .filter(({ path }) => path.startsWith("src/sandbox/stripe/"))
      .flatMap(({ imports }) => imports)
      .filter((name) => name.startsWith("src/") && !name.startsWith("src/sandbox/stripe/"));
    expect([...new Set(imported)].filter((name) => name !== "src/config.ts")).toEqual([]);
  });
});

describe("purity", () => {
  test.each(files.filter(({ path }) => /^src\/(domain|workflows)\//.test(path)))(
    "$path knows neither the wall clock nor chance nor the machine",
    ({ path, text }) => {
      // The clock module turns Temporal's own deterministic Date.now into now() for everybody else.
      const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bfetch\(|\bsetTimeout\(/;
      if (path !== "src/workflows/clock.ts") expect(impure.exec(text)?.[0]).toBeUndefined();
    },
  );

  test("only config.ts reads the environment", () => {
    const readers = files.filter(({ path, text }) => path.startsWith("src/") && text.includes("process.env"));
    expect(readers.map(({ path }) => path)).toEqual(["src/config.ts"]);
  });
});

describe("length", () => {
  const linesMax = 250;
  const generated = ["src/sdk/schema.ts"];
  test.each(files.filter(({ path }) => path.startsWith("src/") && !generated.includes(path)))(
    `$path has at most ${linesMax} lines`,
    ({ text }) => {
      expect(text.split("\n").length - 1).toBeLessThanOrEqual(linesMax);
    },
  );
});

test("runs of workflows share their modules, so none of these keeps anything that changes", () => {
  const replayed = ["src/workflows/", "src/domain/calendar/", "src/domain/lifecycle/"];
  const changeable = /^(export )?(let|var) |^(export )?const .*= new (Weak)?(Map|Set)\b(?!.*: Readonly)/m;
  const isShared = ({ path }: SourceFile) => replayed.some((folder) => path.startsWith(folder));
  const found = files.filter((file) => isShared(file) && changeable.test(file.text));
  expect(found.map(({ path }) => path)).toEqual([]);
});

test("the text speaks of the project alone: no machine's paths", () => {
  const machinePath = new RegExp(`["'\`( ]/${"(work|root|home)"}/`);
  const found = files.filter(({ path, text }) => path !== "test/tidy.test.ts" && machinePath.test(text));
  expect(found.map(({ path }) => path)).toEqual([]);
});

function folderOf(path: string): string | undefined {
  return Object.keys(mayImport).find((folder) => path.startsWith(`src/${folder}/`));
}

const nested = (name: string) => (name.endsWith("/") || name.endsWith(":") ? name : `${name}/`);

function sourcesBelow(folder: string): SourceFile[] {
  const below = join(root, folder);
  try {
    return readdirSync(below, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.includes("node_modules"))
      .map((file) => {
        const text = readFileSync(file, "utf8");
        return { path: relative(root, file), text, imports: importsOf(file, text) };
      });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function importsOf(file: string, text: string): string[] {
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(?!type\b)([^;"']*?)\s*from\s+["']([^"']+)["']/gm,
  );
  const dynamic = text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g);
  const valued = [...statements]
    .filter(([, clause = ""]) => !onlyTypes(clause))
    .map(([, , source = ""]) => source);
  return [...valued, ...[...dynamic].map(([, source = ""]) => source)].map((source) =>
    source.startsWith(".") ? relative(root, resolve(file, "..", source)) : source,
  );
}

/** `{ type A, type B }` imports nothing that runs. */
function onlyTypes(clause: string): boolean {
  const names =
    /^\{([^}]*)\}$/
      .exec(clause.trim())?.[1]
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  const given = names.filter((name) => name !== "");
  return given.length > 0 && given.every((name) => name.startsWith("type "));
}
