import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorkflowCode, DefaultLogger, Runtime } from "@temporalio/worker";
import { type Browser, chromium } from "playwright-core";
import { loadTestConfig, projectFolder } from "../../src/config.ts";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { workflowSources } from "../../src/workers/workflow-sources.ts";
import { changePlan, workflowIds } from "../../src/workflows/messages.ts";
import { resultOf, untilParked } from "../workflows/support/runs.ts";
import { openScene, type Scene, until } from "../workflows/support/scene.ts";
import { declined } from "../workflows/support/stand-ins.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";

/** The pictures of docs/operating.md, made again: `npm run screenshots`. Runs are played on a server of their own. */

const target = join(projectFolder, "docs/images");
const pictureBytesMax = 200_000;
const size = { width: 1_200, height: 1_040 };
const april = "2026-04-01T00:00:00.000Z";

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-screenshots-"));
  const group = createServiceGroup();
  const logger = new DefaultLogger("ERROR");
  Runtime.install({ logger });
  try {
    const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
    const [port, uiPort] = [await freePort(), await freePort()];
    const logFile = join(folder, "temporal.log");
    const { address } = await startTemporal({ group, program, port, uiPort, logFile });
    const codePath = join(folder, "workflow-bundle.js");
    writeFileSync(codePath, (await bundleWorkflowCode({ ...workflowSources, logger })).code);
    const scene = await openScene({ address, codePath }, { taskQueue: "reckoner" });
    const runs = {
      subscription: await aSubscription(scene),
      cycle: await aCycle(scene),
      dunning: await aDunning(scene),
    };
    await photograph(`http://${localHost}:${uiPort}`, scene, runs);
    await scene.close();
  } finally {
    await group.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function aSubscription(scene: Scene): Promise<string> {
  const clock = await scene.startClock("2026-01-31T00:00:00.000Z");
  const { send, workflowId } = await beginSubscription(scene, clock);
  await send(changePlan, { at: "2026-02-10T00:00:00.000Z", planKey: "team", seats: 3 });
  return workflowId;
}

/** Parked, as an operator meets it. */
async function aCycle(scene: Scene): Promise<string> {
  const clock = await scene.startClock(april);
  scene.standIns.on("closePeriod", () => {
    throw new InvariantViolation("the lines sum to the total");
  });
  const period = {
    subscriptionId: scene.id("sub"),
    periodStart: "2026-03-01T00:00:00.000Z",
    periodEnd: april,
  };
  await scene.gateway.startBillingCycle({
    ...period,
    customerId: scene.id("cus"),
    graceSeconds: 0,
    clock: clock.reading(),
  });
  const workflowId = workflowIds.billingCycle(period.subscriptionId, period.periodStart);
  await untilParked(scene.client, workflowId);
  return workflowId;
}

async function aDunning(scene: Scene): Promise<string> {
  const clock = await scene.startClock(april);
  const invoiceId = scene.id("inv");
  scene.standIns.on("payInvoice", declined("soft"));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub") };
  await scene.gateway.startCollection({ ...input, clock: clock.reading() });
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  await until(() => scene.standIns.asked("noteDunning").length > 0, "dunning is at work");
  return workflowIds.dunning(invoiceId);
}

async function photograph(ui: string, scene: Scene, runs: Record<string, string>): Promise<void> {
  mkdirSync(target, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--force-color-profile=srgb"],
  });
  try {
    const list = `${ui}/namespaces/default/workflows?query=${encodeURIComponent("`NeedsAttention`=true")}`;
    await take(browser, list, "temporal-needs-attention", "billingCycle");
    for (const [name, workflowId] of Object.entries(runs)) {
      const { runId } = await scene.client.workflow.getHandle(workflowId).describe();
      const page = `${ui}/namespaces/default/workflows/${encodeURIComponent(workflowId)}/${runId}/timeline`;
      await take(browser, page, `temporal-${name}`, workflowId, "User Metadata");
    }
  } finally {
    await browser.close();
  }
}

/** Of the page when it shows `text`, on one of its tabs. */
async function take(browser: Browser, url: string, name: string, text: string, tab?: string): Promise<void> {
  const page = await browser.newPage({ viewport: size, colorScheme: "light", reducedMotion: "reduce" });
  await page.goto(url);
  await page.getByText(text).first().waitFor();
  if (tab !== undefined) {
    await page.getByText(tab, { exact: true }).first().click();
    await page.getByText("Current Details").first().waitFor();
  }
  // Its numbers count on; its fonts and icons come late.
  await page.waitForLoadState("networkidle", { timeout: 5_000 }).catch(() => undefined);
  const path = join(target, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  await page.close();
  const { size: bytes } = statSync(path);
  process.stdout.write(`${name}.png: ${Math.round(bytes / 1_024)} KiB\n`);
  if (bytes > pictureBytesMax) throw new Error(`${name}.png is larger than ${pictureBytesMax} bytes`);
}

await main();
