import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

/** The generator of requests: Schemathesis, in a Python environment of its own with every package pinned. */

const run = promisify(execFile);
const requirements = join(import.meta.dirname, "requirements.txt");
const cache = resolve(import.meta.dirname, "../../node_modules/.cache");

const python = ["python3", "python"].find((name) => {
  try {
    execFileSync(name, ["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
});

/** For titles: says why the contract is not tested here; empty when it is. */
export const skipReason =
  python === undefined ? " (skipped: no Python 3.10 with venv, in which Schemathesis is installed)" : "";

/** Installs it where it is not yet, and gives the program. */
async function install(): Promise<string> {
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cache, `schemathesis-${version}`);
  const program = join(folder, "bin/python");
  const isDone = join(folder, "installed");
  if (existsSync(isDone)) return program;
  rmSync(folder, { recursive: true, force: true });
  await run(python ?? "python3", ["-m", "venv", folder]);
  const quietly = ["--quiet", "--disable-pip-version-check", "--no-deps"];
  await run(program, ["-m", "pip", "install", ...quietly, "-r", requirements]);
  writeFileSync(`${isDone}.new`, "");
  renameSync(`${isDone}.new`, isDone);
  return program;
}

export interface ContractRun {
  readonly apiUrl: string;
  readonly apiKey: string;
  /** Ids that exist, by the collection whose paths take them. */
  readonly ids: ReadonlyMap<string, string>;
  /** Where the configuration is written to. */
  readonly folder: string;
  readonly phases: string;
  /** Of each operation, in each phase that makes them up by chance. */
  readonly examplesMax: number;
  readonly seed: number;
}

export interface ContractResult {
  readonly exitCode: number;
  readonly operations: number;
  readonly testCases: number;
  /** What it wrote, from its first complaint on. */
  readonly report: string;
}

/** What is asked of every answer. */
const checks = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "missing_required_header",
  "unsupported_method",
];

/** Sends requests made from the API's own document, right ones and wrong ones, and looks at every answer. */
export async function tryContract(asked: ContractRun): Promise<ContractResult> {
  const program = await install();
  const config = join(asked.folder, "schemathesis.toml");
  writeFileSync(config, configuration(asked.ids));
  const options = [
    ["--config-file", config, "run", `${asked.apiUrl}/openapi.json`, "--no-color"],
    ["--header", `Authorization: Bearer ${asked.apiKey}`],
    ["--phases", asked.phases, "--max-examples", String(asked.examplesMax), "--seed", String(asked.seed)],
    ["--checks", checks.join(","), "--include-path-regex", "^/v1/", "--workers", "2"],
    ["--generation-database", "none", "--generation-with-security-parameters", "false", "--no-shrink"],
    ["--warnings", "off", "--output-truncate", "false"],
  ].flat();
  const start = ["-c", "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"];
  const { exitCode, output } = await run(program, [...start, ...options], {
    cwd: asked.folder,
    maxBuffer: 1 << 28,
  }).then(
    ({ stdout }) => ({ exitCode: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ exitCode: Number(code), output: `${stdout}${stderr}` }),
  );
  const figure = (form: RegExp) => Number(form.exec(output)?.[1] ?? 0);
  return {
    exitCode,
    operations: figure(/Tested: (\d+)/),
    testCases: figure(/(\d+) generated/),
    report: output.slice(Math.max(output.search(/^=+ (ERRORS|FAILURES) =+$/m), 0), 20_000),
  };
}

/** Four requests in five ask for what is there; keys are made up for none, lest it ends the one that it has. */
function configuration(ids: ReadonlyMap<string, string>): string {
  const name = (collection: string) => collection.replace(/\W/g, "_");
  const dictionaries = [...ids].map(
    ([collection, id]) => `[dictionaries.${name(collection)}]\nvalues = [${JSON.stringify(id)}]`,
  );
  const operations = [...ids].map(([collection, id]) => {
    const probability = id.startsWith("key_") ? "1.0" : "0.8";
    const value = `{ dictionary = "${name(collection)}", probability = ${probability} }`;
    return `[[operations]]\ninclude-path-regex = '^/v1/${collection}/\\{id\\}'\nparameters = { "path.id" = ${value} }`;
  });
  const settings = 'suppress-health-check = ["all"]\ncontinue-on-failure = true\nrequest-timeout = 30';
  return [settings, ...dictionaries, ...operations].join("\n\n");
}
