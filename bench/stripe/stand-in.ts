import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopwatch } from "../figures.ts";

const apiKey = "sk_test_bench";
const atOnce = 16;

export interface StandIn {
  readonly url: string;
  /** From the beginning of its work to when it answers, in seconds. */
  readonly startSeconds: number;
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

export async function startStandIn(journalPath = ""): Promise<StandIn> {
  const child = fork(join(import.meta.dirname, "stand-in-process.ts"), [journalPath]);
  const [started] = await once(child, "message");
  const { url, startSeconds } = started as { url: string; startSeconds: number };
  return {
    url,
    startSeconds,
    async cpuSeconds() {
      child.send("cpu");
      const [said] = await once(child, "message");
      return (said as { cpuSeconds: number }).cpuSeconds;
    },
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Simple writes, each kept in the journal before it is answered; then as many payments as make the objects, and a restart. */
export async function measureStandIn({ writes, objects }: { writes: number; objects: number }) {
  const folder = mkdtempSync(join(tmpdir(), "stripe-bench-"));
  const journalPath = join(folder, "journal");
  try {
    const standIn = await startStandIn(journalPath);
    const post = poster(standIn.url);
    await inParallel(200, () => post("/v1/customers", "name=Warm"));
    const cpuBefore = await standIn.cpuSeconds();
    const seconds = stopwatch();
    await inParallel(writes, (n) => post("/v1/customers", `name=Ada+${n}&email=ada${n}%40example.com`));
    const elapsed = seconds();
    const cpu = (await standIn.cpuSeconds()) - cpuBefore;
    // A payment is an intent, a charge, a balance transaction, three events and the reply that is kept.
    const payment = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true";
    await inParallel(Math.ceil((objects - 3 * writes) / 8), () => post("/v1/payment_intents", payment));
    await standIn.stop();
    const again = await startStandIn(journalPath);
    const restarted = again.startSeconds;
    const restartCpu = await again.cpuSeconds();
    await again.stop();
    return {
      writesPerSecond: Math.round(writes / elapsed),
      cpuMicrosecondsPerWrite: Math.round((cpu / writes) * 1e6),
      objects,
      journalMiB: Math.round(statSync(journalPath).size / 2 ** 20),
      restartSeconds: Math.round(restarted * 10) / 10,
      restartCpuSeconds: Math.round(restartCpu * 10) / 10,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function poster(url: string): (path: string, body: string) => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const { hostname, port } = new URL(url);
  let key = 0;
  return (path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${apiKey}`,
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": `bench-${key++}`,
      };
      const sent = request({ hostname, port, path, method: "POST", headers, agent }, (reply) => {
        reply.resume();
        reply.on("end", () =>
          reply.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${reply.statusCode}`)),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
}

async function inParallel(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
