import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parts } from "../src/config/parts.ts";
import { secretVariables } from "../src/config/variables.ts";
import {
  ConfigurationError,
  type Environment,
  loadApiConfig,
  loadClientConfig,
  loadMigrationConfig,
  loadProofConfig,
  loadSandboxConfig,
  loadStartConfig,
  loadTestConfig,
  loadWorkerConfig,
  projectFolder,
  runningFile,
} from "../src/config.ts";
import { formatMoney } from "../src/domain/money/index.ts";

const database = { DATABASE_URL: "postgres://app:word@db:5432/reckoner" };
const standIn = { STRIPE_API_BASE: "http://127.0.0.1:12155" };
const workable = { ...database, ...standIn };

function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.split("\n");
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe(".env.example", () => {
  const text = readFileSync(join(projectFolder, ".env.example"), "utf8");
  const listed = Object.keys(parseEnv(text));
  const read = [...new Set(Object.values(parts).flatMap((part) => Object.keys(part.shape)))];

  test("lists exactly the variables that are read, by the code or by Docker Compose", () => {
    const files = ["docker-compose.yml", "docker-compose.sandbox.yml"];
    const compose = files.map((file) => readFileSync(join(projectFolder, file), "utf8")).join();
    const interpolated = [...compose.matchAll(/\$\{(\w+)/g)].map(([, name = ""]) => name);
    expect(listed.toSorted()).toEqual([...new Set([...read, ...interpolated])].toSorted());
  });

  test("lists each variable once", () => {
    const names = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names).toHaveLength(new Set(names).size);
  });

  test("shows the defaults, so that a copy of it changes nothing", () => {
    const copied = parseEnv(text);
    expect(loadApiConfig({ ...copied, ...workable })).toEqual(loadApiConfig(workable));
    expect(loadWorkerConfig({ ...copied, ...workable })).toEqual(loadWorkerConfig(workable));
    expect(loadSandboxConfig(copied)).toEqual(loadSandboxConfig({}));
    expect(loadStartConfig(copied)).toEqual(loadStartConfig({}));
    expect(loadTestConfig(copied)).toEqual(loadTestConfig({}));
  });
});

describe("a value that cannot be used", () => {
  const api = (environment: Environment) => () => loadApiConfig({ ...workable, ...environment });
  const worker = (environment: Environment) => () => loadWorkerConfig({ ...workable, ...environment });

  test.each([
    [api({ DATABASE_URL: "" }), /^DATABASE_URL is not set: give the application role's connection string/],
    [
      api({ DATABASE_URL: "mysql://a:b@c/d" }),
      /^DATABASE_URL must look like postgres:\/\/USER:PASSWORD@HOST/,
    ],
    [api({ DATABASE_URL: "postgres://a:b@c" }), /^DATABASE_URL must look like/],
    [
      api({ DATABASE_POOL_SIZE: "0" }),
      /^DATABASE_POOL_SIZE must be a whole number from 1 to 500 \(it is "0"\)$/,
    ],
    [api({ API_PORT: "80a" }), /^API_PORT must be a whole number from 0 to 65535 \(it is "80a"\)$/],
    [api({ API_PORT: "65536" }), /^API_PORT must be a whole number from 0 to 65535/],
    [api({ API_PORT: "1e3" }), /^API_PORT must be a whole number/],
    [api({ API_HOST: "http://here" }), /^API_HOST must be a host name or an IP address/],
    [api({ API_PUBLIC_URL: "billing.example" }), /^API_PUBLIC_URL must be a URL that starts with http/],
    [api({ API_BOOTSTRAP_KEY: "short" }), /^API_BOOTSTRAP_KEY must be at least 24 characters long/],
    [api({ TEMPORAL_ADDRESS: "http://t:7233" }), /^TEMPORAL_ADDRESS must look like HOST:PORT/],
    [api({ TEMPORAL_TLS: "yes" }), /^TEMPORAL_TLS must be one of true, false \(it is "yes"\)$/],
    [api({ TEMPORAL_TASK_QUEUE_PREFIX: "A B" }), /^TEMPORAL_TASK_QUEUE_PREFIX must be lower-case letters/],
    [api({ STRIPE_API_KEY: "pk_test_1" }), /^STRIPE_API_KEY must start with sk_test_/],
    [
      api({ STRIPE_API_BASE: "", STRIPE_API_KEY: "" }),
      /^STRIPE_API_KEY is not set: give a Stripe key, or set STRIPE/,
    ],
    [
      api({ STRIPE_API_KEY: "sk_live_1" }),
      /^STRIPE_API_BASE must not be set together with a live STRIPE_API_KEY/,
    ],
    [api({ STRIPE_WEBHOOK_SECRETS: "whsec_a,b" }), /^STRIPE_WEBHOOK_SECRETS must be signing secrets/],
    [
      api({ ADJUSTMENT_APPROVAL_ABOVE: "500" }),
      /^ADJUSTMENT_APPROVAL_ABOVE must be amounts by currency, .* such as usd=500.00,jpy=50000 \(it is "500"\)$/,
    ],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "usd=1,," }), /^ADJUSTMENT_APPROVAL_ABOVE must be amounts by currency/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "usd=-1" }), /^ADJUSTMENT_APPROVAL_ABOVE must be amounts by currency/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "usd=1=2" }), /^ADJUSTMENT_APPROVAL_ABOVE must be amounts by currency/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "USD=1" }), /^ADJUSTMENT_APPROVAL_ABOVE must be amounts by currency/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "xyz=1" }), /there is no currency "xyz" \(it is "xyz=1"\)$/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "usd=1,eur=2,usd=3" }), /must name each currency once: usd is there/],
    [api({ ADJUSTMENT_APPROVAL_ABOVE: "jpy=1.5" }), /must have at most 0 decimals for jpy/],
    [api({ TEST_CLOCKS: "on" }), /^TEST_CLOCKS must be one of allowed, refused/],
    [worker({ CYCLE_CLOSE: "off" }), /^CYCLE_CLOSE must be one of workflow, paged/],
    [worker({ CYCLE_CLOSE_WINDOW: "25h" }), /^CYCLE_CLOSE_WINDOW must be a whole number from 0 to 1440/],
    [
      worker({ WORKER_ROLES: "cycles,all" }),
      /^WORKER_ROLES must be some of interactive, cycles, stripe, upkeep/,
    ],
    [worker({ USAGE_WATERMARK_WAIT_MAX: "6h" }), /^USAGE_WATERMARK_WAIT_MAX must be a whole number from 0/],
    [
      worker({ WORKER_WORKFLOW_CONCURRENCY: "1" }),
      /^WORKER_WORKFLOW_CONCURRENCY must be a whole number from 2/,
    ],
    [worker({ LEDGER_SEALS: "/seals" }), /^LEDGER_SEALS must look like file:PATH or s3:\/\/BUCKET\/PREFIX/],
    [worker({ LEDGER_SEALS: "s3://UPPER/x" }), /^LEDGER_SEALS must look like/],
    [worker({ LEDGER_SEALS: "s3://seals" }), /^AWS_REGION is not set: give the region of the bucket/],
    [
      worker({ LEDGER_SEALS: "s3://seals", AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "id" }),
      /^AWS_SECRET_ACCESS_KEY is not set: give both parts of the access key, or neither/,
    ],
    [worker({ AWS_ENDPOINT_URL_S3: "storage:9000" }), /^AWS_ENDPOINT_URL_S3 must be a URL/],
    [worker({ LOG_LEVEL: "loud" }), /^LOG_LEVEL must be one of trace, .*silent \(it is "loud"\)$/],
    [
      () => loadMigrationConfig(database),
      /^DATABASE_OWNER_URL is not set: give the role that owns the schema/,
    ],
    [() => loadStartConfig(database), /^DATABASE_OWNER_URL is not set: give both database URLs, or neither/],
    [() => loadStartConfig({ POSTGRES_PORT: "0" }), /^POSTGRES_PORT must be a whole number from 1 to 65535/],
    [
      () => loadSandboxConfig({ STRIPE_SANDBOX_WEBHOOK_URL: "http://127.0.0.1:8155/v1/webhooks/stripe" }),
      /^STRIPE_WEBHOOK_SECRETS is not set: make up the secret/,
    ],
    [() => loadStartConfig({ STRIPE_API_KEY: "sk_live_1", ...standIn }), /^STRIPE_API_BASE must not be set/],
  ])("%# gives one line that says what to do", (load, line) => {
    const problems = problemsOf(load);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(line);
  });

  test("all problems are said at once", () => {
    const problems = problemsOf(() =>
      loadWorkerConfig({ ...standIn, LOG_FORMAT: "xml", WORKER_CONCURRENCY: "-1" }),
    );
    expect(problems.map((line) => line.split(" ")[0])).toEqual([
      "DATABASE_URL",
      "WORKER_CONCURRENCY",
      "LOG_FORMAT",
    ]);
  });

  const refusesBadSecret: readonly (readonly [string, (environment: Environment) => unknown])[] = [
    ["DATABASE_URL", loadApiConfig],
    ["DATABASE_OWNER_URL", loadMigrationConfig],
    ["STRIPE_API_KEY", loadApiConfig],
    ["STRIPE_WEBHOOK_SECRETS", loadApiConfig],
    ["API_BOOTSTRAP_KEY", loadApiConfig],
    ["LOCAL_SIGN_IN_PASSWORD", loadApiConfig],
    ["RECKONER_API_KEY", loadClientConfig],
    ["TEST_DATABASE_URL", loadTestConfig],
    ["TEMPORAL_PAYLOAD_KEYS", loadWorkerConfig],
    ["WEBHOOK_SECRET_KEYS", loadWorkerConfig],
    ["ENTITLEMENT_SIGNING_KEYS", loadApiConfig],
    ["SMTP_URL", loadWorkerConfig],
  ];

  test.each(refusesBadSecret)("%s: a secret is never repeated", (variable, load) => {
    const said = problemsOf(() => load({ ...workable, [variable]: "hunter2" })).join();
    expect(said).toContain(variable);
    expect(said).not.toContain("hunter2");
  });

  test("every secret is in the list above, but for those that may be any text", () => {
    const known = refusesBadSecret.map(([variable]) => variable);
    const anyText = [
      "TEMPORAL_API_KEY",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "USAGE_LOG_SASL_PASSWORD",
      "OIDC_CLIENT_SECRET",
    ];
    expect([...secretVariables].toSorted()).toEqual([...known, ...anyText].toSorted());
  });
});

describe("what a value means", () => {
  const oidc = { OIDC_ISSUER: "https://id.example", OIDC_CLIENT_ID: "us" };

  test("what a provider says of somebody becomes roles", () => {
    const { provider } = loadApiConfig({
      ...workable,
      ...oidc,
      OIDC_ROLES: "a=b=finance, a=b=viewer,c=admin",
    }).signIn;
    expect([...(provider?.roles ?? [])]).toEqual([
      ["a=b", ["finance", "viewer"]],
      ["c", ["admin"]],
    ]);
  });

  test.each([
    [{ OIDC_ISSUER: "http://id.example" }, /^OIDC_ISSUER must be a URL that starts with https/],
    [{ ...oidc, OIDC_ROLES: "a=root" }, /^OIDC_ROLES must be pairs/],
    [{ ...oidc, OIDC_CLIENT_ID: "" }, /^OIDC_CLIENT_ID is not set/],
    [oidc, /^OIDC_ROLES is not set/],
    [
      { STRIPE_API_KEY: "sk_live_1", STRIPE_API_BASE: "", LOCAL_SIGN_IN_PASSWORD: "x".repeat(16) },
      /^LOCAL_SIGN_IN_PASSWORD must not be set together with a live/,
    ],
  ])("%o lets nobody sign in, and says why", (given, message) => {
    expect(problemsOf(() => loadApiConfig({ ...workable, ...given })).join()).toMatch(message);
  });

  test("a live Stripe key forces test clocks off", () => {
    const live = { ...database, STRIPE_API_KEY: "sk_live_1", TEST_CLOCKS: "allowed" };
    expect(loadApiConfig(live)).toMatchObject({
      testClocks: "refused",
      stripe: { isLive: true, apiBase: undefined },
    });
    expect(loadWorkerConfig({ ...workable, TEST_CLOCKS: "allowed" }).testClocks).toBe("allowed");
  });

  test("a Temporal API key switches TLS on unless it is said otherwise", () => {
    const tls = (environment: Environment) => loadApiConfig({ ...workable, ...environment }).temporal.tls;
    expect(tls({})).toBe(false);
    expect(tls({ TEMPORAL_API_KEY: "key" })).toBe(true);
    expect(tls({ TEMPORAL_API_KEY: "key", TEMPORAL_TLS: "false" })).toBe(false);
    expect(tls({ TEMPORAL_TLS: "true" })).toBe(true);
  });

  test("the stand-in is reached by protocol, host and port, with a key of its own", () => {
    const { stripe } = loadApiConfig(workable);
    expect(stripe.apiBase).toEqual({ protocol: "http", host: "127.0.0.1", port: 12155 });
    expect(stripe.apiKey).toMatch(/^sk_test_/);
    const https = loadApiConfig({ ...database, STRIPE_API_BASE: "https://stand-in.example/" });
    expect(https.stripe.apiBase).toEqual({ protocol: "https", host: "stand-in.example", port: 443 });
  });

  test("approval limits are amounts of money, in each currency's own decimals", () => {
    const limitsOf = (environment: Environment) =>
      [...loadApiConfig({ ...workable, ...environment }).approvalLimits.values()].map(formatMoney);
    expect(limitsOf({})).toEqual(["500.00 USD", "500.00 EUR", "50000 JPY"]);
    const ADJUSTMENT_APPROVAL_ABOVE = " usd = 0, jpy=7 ,kwd=1.5 ";
    expect(limitsOf({ ADJUSTMENT_APPROVAL_ABOVE })).toEqual(["0.00 USD", "7 JPY", "1.500 KWD"]);
  });

  test.each([
    [{}, undefined],
    [{ LEDGER_SEALS: "file:/seals/copy.jsonl" }, { kind: "file", path: "/seals/copy.jsonl" }],
    [{ LEDGER_SEALS: "file:///seals/copy.jsonl" }, { kind: "file", path: "/seals/copy.jsonl" }],
    [{ LEDGER_SEALS: "file:copy.jsonl" }, { kind: "file", path: join(projectFolder, "copy.jsonl") }],
    [
      { LEDGER_SEALS: "s3://acme-seals/billing/live/", AWS_REGION: "eu-central-1" },
      {
        kind: "bucket",
        bucket: "acme-seals",
        prefix: "billing/live",
        region: "eu-central-1",
        endpoint: undefined,
        credentials: undefined,
      },
    ],
    [
      {
        LEDGER_SEALS: "s3://acme-seals",
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL_S3: "https://storage.example:9000/",
        AWS_ACCESS_KEY_ID: "id",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_SESSION_TOKEN: "token",
      },
      {
        kind: "bucket",
        bucket: "acme-seals",
        prefix: "",
        region: "us-east-1",
        endpoint: "https://storage.example:9000",
        credentials: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" },
      },
    ],
  ])("the copy of the seals: %o", (environment, location) => {
    expect(loadWorkerConfig({ ...workable, ...environment }).ledgerSeals).toEqual(location);
    const proof = loadProofConfig({ ...database, ...environment, RECKONER_HOME: "/nowhere" });
    expect(proof.ledgerSeals).toEqual(location);
  });

  test("webhook secrets are a list", () => {
    const { stripe } = loadApiConfig({ ...workable, STRIPE_WEBHOOK_SECRETS: "whsec_new, whsec_old" });
    expect(stripe.webhookSecrets).toEqual(["whsec_new", "whsec_old"]);
  });

  test("the stand-in sends webhooks for the account and with the secrets of the system beside it", () => {
    const url = "http://127.0.0.1:8155/v1/webhooks/stripe";
    const beside = { STRIPE_SANDBOX_WEBHOOK_URL: url, STRIPE_WEBHOOK_SECRETS: "whsec_a" };
    const { apiKey } = loadApiConfig(workable).stripe;
    expect(loadSandboxConfig(beside).webhook).toEqual({ apiKey, url, secrets: ["whsec_a"] });
    const named = { ...beside, STRIPE_API_KEY: "sk_test_ours" };
    expect(loadSandboxConfig(named).webhook?.apiKey).toBe("sk_test_ours");
    expect(loadSandboxConfig({}).webhook).toBeUndefined();
  });

  test.each([
    [{}, "http://127.0.0.1:8155"],
    [{ API_HOST: "0.0.0.0", API_PORT: "80" }, "http://localhost:80"],
    [{ API_PUBLIC_URL: "https://billing.example/" }, "https://billing.example"],
  ])("links for clients: %o gives %s", (environment, url) => {
    expect(loadApiConfig({ ...workable, ...environment }).publicUrl).toBe(url);
  });

  test("a relative home counts from the project's folder", () => {
    expect(loadStartConfig({ RECKONER_HOME: "elsewhere" }).home).toBe(join(projectFolder, "elsewhere"));
    expect(loadSandboxConfig({ RECKONER_HOME: "/data" }).journalPath).toBe("/data/stripe-sandbox.journal");
  });
});

describe("commands find the running system", () => {
  const running = {
    apiUrl: "http://127.0.0.1:8155",
    apiKey: "a-key-of-some-twenty-four-characters",
    temporalUiUrl: "http://127.0.0.1:8255",
    databaseUrl: "postgres://reckoner_app:word@127.0.0.1:5455/reckoner",
    ledgerSeals: "file:/data/ledger-seals.jsonl",
    stripeApiBase: "http://127.0.0.1:12155",
  };

  test("by the file that npm start leaves", () => {
    const home = mkdtempSync(join(tmpdir(), "reckoner-config-"));
    try {
      writeFileSync(runningFile(home), JSON.stringify(running));
      expect(loadClientConfig({ RECKONER_HOME: home })).toMatchObject({
        apiUrl: running.apiUrl,
        apiKey: running.apiKey,
      });
      expect(loadProofConfig({ RECKONER_HOME: home })).toMatchObject({
        database: { url: running.databaseUrl, poolSize: 10 },
        ledgerSeals: { kind: "file", path: "/data/ledger-seals.jsonl" },
        stripe: { apiBase: { protocol: "http", host: "127.0.0.1", port: 12_155 } },
      });
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test("by the environment", () => {
    const { apiUrl, apiKey } = running;
    const environment = { RECKONER_API_URL: apiUrl, RECKONER_API_KEY: apiKey, RECKONER_HOME: "/nowhere" };
    expect(loadClientConfig(environment)).toEqual({ apiUrl, apiKey, temporalUiUrl: undefined });
    expect(loadProofConfig({ ...database, RECKONER_HOME: "/nowhere" })).toMatchObject({
      database: { url: database.DATABASE_URL },
      ledgerSeals: undefined,
      stripe: undefined,
    });
  });

  test("and are told what to do when none runs", () => {
    const nowhere = { RECKONER_HOME: "/nowhere" };
    const told = "is not set and no system is running here: run npm start, or set the variable";
    expect(problemsOf(() => loadClientConfig(nowhere))).toEqual([`RECKONER_API_URL ${told}`]);
    expect(problemsOf(() => loadProofConfig(nowhere))).toEqual([`DATABASE_URL ${told}`]);
  });
});
