import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, realpathSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import {
  childEnvironment,
  configurationOrExit,
  loadStartConfig,
  projectFolder,
  type RunningSystem,
  runningFile,
} from "../config.ts";
import { BillingError } from "../domain/errors.ts";
import { obituary } from "./local-services/child-process.ts";
import { claimHome, releaseHome } from "./local-services/home-claim.ts";
import { LocalServiceError } from "./local-services/local-service-error.ts";
import { createProgress } from "./local-services/progress.ts";
import { writePrivately } from "./local-services/secrets.ts";
import { createServiceGroup } from "./local-services/service-group.ts";
import { type LocalSystem, ledgerSeals, startSystem } from "./local-services/system.ts";

/** `npm start`: everything on this machine, then the demo (unless `--no-demo`), until Ctrl-C. */
const { values: flags } = parseArgs({ options: { "no-demo": { type: "boolean", default: false } } });
const config = configurationOrExit(loadStartConfig);
const shownHome = config.home.startsWith(projectFolder) ? relative(projectFolder, config.home) : config.home;
const progress = createProgress();
const group = createServiceGroup();
/** npm passes Ctrl-C on although the terminal has sent it to us already: that is not the second one. */
const echoMs = 500;
let demo: ChildProcess | undefined;
let ending: Promise<never> | undefined;
let ownsHome = false;

stopOnSignals();
try {
  await run();
} catch (error) {
  // What fails while everything is being stopped, fails because of that.
  if (ending === undefined) console.error("\n%s", error instanceof BillingError ? error.message : error);
  await shutDown(1);
}

/** Ends only by an error: a part that cannot start, or one that dies. */
async function run(): Promise<void> {
  console.log(`Starting Reckoner, with its data in ${shownHome}`);
  await claimHome(config.home, group.guardianPid, (detail) => progress.line(`  … ${detail}`));
  ownsHome = true;
  rmSync(runningFile(config.home), { force: true }); // of a start that was killed
  const system = await startSystem({ config, group, progress });
  const { apiUrl, apiKey, temporalUiUrl, database, stripeUrl } = system;
  writePrivately(runningFile(config.home), {
    apiUrl,
    apiKey,
    temporalUiUrl,
    signInKey: signInKey(system),
    databaseUrl: database.appUrl,
    ledgerSeals: ledgerSeals(config),
    stripeApiBase: stripeUrl,
  } satisfies RunningSystem);
  console.log(`\n${addresses(system)}\n`);

  const death = group.firstDeath.then(({ service, ending }): never => {
    throw new LocalServiceError(obituary(service, ending));
  });
  if (!flags["no-demo"]) await Promise.race([runDemo(), death]);
  console.log("Reckoner is running. Ctrl-C stops everything; the next npm start finds all data again.");
  await death;
}

/** The demo talks to the API as any client would, and finds it as `npm run demo` does. */
async function runDemo(): Promise<void> {
  const args = [join(projectFolder, "src/sandbox/demo/main.ts")];
  demo = spawn(process.execPath, args, {
    stdio: "inherit",
    env: childEnvironment({ RECKONER_HOME: config.home }),
  });
  const [code] = await once(demo, "exit");
  if (ending !== undefined) await ending;
  if (code !== 0) console.log("\nThe demo did not end well; npm run demo runs it again.");
}

/** A key that was made here is for this machine alone, so links may carry it; one that the user has set is a secret. */
function signInKey({ apiKey }: LocalSystem): string | undefined {
  return config.bootstrapKey === undefined ? apiKey : undefined;
}

function addresses(system: LocalSystem): string {
  const { apiUrl, temporalAddress, temporalUiUrl, stripeUrl, metricsUrl, mailboxUrl, database } = system;
  const { username, host, pathname } = new URL(database.appUrl);
  const signIn = signInKey(system);
  const rows = [
    ["API", apiUrl],
    ["API documentation", `${apiUrl}/docs`],
    ["Console", `${apiUrl}/console/${signIn === undefined ? "" : `#key=${signIn}`}`],
    ["Console, as a role", `password ${system.signInPassword}`],
    ["Temporal", temporalAddress],
    ["Temporal UI", temporalUiUrl ?? "not known: set TEMPORAL_UI_URL"],
    ["PostgreSQL", `postgres://${username}@${host}${pathname}`],
    ["Stripe", stripeUrl === undefined ? "Stripe itself" : `${stripeUrl} (stand-in)`],
    ["Mailbox", mailboxUrl ?? "mail goes to SMTP_URL"],
    ["Worker metrics", metricsUrl],
    ["Data", dataFolders()],
    ["Logs", join(shownHome, "logs")],
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  return rows.map(([name = "", address]) => `  ${name.padEnd(width)}  ${address}`).join("\n");
}

/** PostgreSQL's data is elsewhere when its account cannot reach the project. */
function dataFolders(): string {
  const folder = join(config.home, "postgres");
  const real = existsSync(folder) ? realpathSync(folder) : folder;
  return real === join(realpathSync(config.home), "postgres")
    ? shownHome
    : `${shownHome}, and PostgreSQL's in ${real}`;
}

/** The first signal stops everything cleanly; another one, later, kills it. */
function stopOnSignals(): void {
  let firstAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        shutDown(0);
      } else if (performance.now() - firstAt > echoMs) {
        group.killAll();
        process.exit(130);
      }
    });
  }
}

function shutDown(code: number): Promise<never> {
  ending ??= (async () => {
    demo?.kill();
    if (ownsHome) rmSync(runningFile(config.home), { force: true });
    await progress.step("Stopping", async (note) => {
      await group.stopAll(({ name }) => note(name));
      note("everything has stopped");
    });
    if (ownsHome) releaseHome(config.home);
    process.exit(code);
  })();
  return ending;
}
