import { loadClientConfig } from "../../config.ts";
import { BillingError } from "../../domain/errors.ts";
import { createReckonerClient, ReckonerApiError } from "../../sdk/index.ts";
import { createProgress, type Progress } from "../local-services/progress.ts";
import { DemoApi } from "./demo-api.ts";
import { demoRun } from "./demo-run.ts";
import { type DemoOptions, parseDemoOptions, usage } from "./options.ts";
import { progressBar } from "./progress-bar.ts";
import { report } from "./report.ts";
import { readResult } from "./result.ts";
import { type Stage, tellStory } from "./story.ts";

const quietMsMax = 15_000;

/** `npm run demo`: tells its story to the system that is running, then shows what came of it. */
try {
  await run();
} catch (error) {
  console.error("\n%s", explanationOf(error) ?? error);
  process.exitCode = 1;
}

/** What people can do something about, in words; anything else is shown as it is. */
function explanationOf(error: unknown): string | undefined {
  if (error instanceof BillingError || error instanceof ReckonerApiError) return error.message;
  const isUnreachable = error instanceof TypeError && error.message === "fetch failed";
  return isUnreachable ? "the API does not answer: is npm start running? Then run the demo again" : undefined;
}

async function run(): Promise<void> {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options === null) {
    console.log(usage);
    return;
  }
  const { apiUrl, apiKey, temporalUiUrl, signInKey } = loadClientConfig();
  const demo = demoRun(options);
  const access = { baseUrl: apiUrl, apiKey };
  const reckoner = createReckonerClient(access);
  const progress = createProgress();
  const months = options.months === 1 ? "a month" : `${options.months} months`;
  console.log(
    `The demo: ${months} of ${options.customers} customers of an AI coding product, on a test clock`,
  );
  const isNew = await progress.step("Demo", (note) =>
    tellStory(demo, new DemoApi(access, demo.name, patienceMs(options)), stageOn(progress, note)),
  );
  if (!isNew) console.log("  This demo has run here before; this is what came of it.");
  console.log(`\n${report(await readResult(reckoner, demo), demo, { apiUrl, temporalUiUrl, signInKey })}\n`);
}

/** A close is one instant on the clock, however many customers it is for. */
function patienceMs({ customers }: DemoOptions): number {
  return 5 * 60_000 + customers * 2_000;
}

function stageOn(progress: Progress, note: (detail: string) => void): Stage {
  const isTerminal = process.stdout.isTTY;
  let tenths = 0;
  let shownAt = performance.now();
  return {
    line: (text) => progress.line(`  ${text}`),
    portion: (done, doing) => {
      // Where nothing can be drawn over, a line says so now and then.
      const isNews = Math.floor(done * 10) > tenths || performance.now() - shownAt > quietMsMax;
      if (!isTerminal && !isNews) return;
      tenths = Math.floor(done * 10);
      shownAt = performance.now();
      note(`${progressBar(done)} ${doing}`);
    },
  };
}
