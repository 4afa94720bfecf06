import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Stripe } from "stripe";
import { openDatabase } from "../../src/db/database.ts";
import { startServer } from "../ledger/server.ts";

/** How long Stripe waits for an answer to a webhook: each is verified and durable in the inbox before it is answered. */
export async function measureWebhooks({ webhooks, perSecond }: { webhooks: number; perSecond: number }) {
  const secret = `whsec_${randomBytes(16).toString("hex")}`;
  const server = await startServer(console.log, 1);
  const child = fork(join(import.meta.dirname, "webhook-api-process.ts"), [server.appUrl, secret]);
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  try {
    const [started] = await once(child, "message");
    const { url } = started as { url: string };
    const send = sender(url, secret);
    // The first ones pay for connections and for code that is compiled.
    for (let number = 0; number < 100; number += 1) await send(`evt_warm_${number}`);
    const waits = await atRate(webhooks, perSecond, (number) => send(`evt_${number}`));
    const [kept] = await db.sql<{ count: number }[]>`
      select count(*)::int as count from stripe.webhook_inbox where event_id not like 'evt_warm%'`;
    if (kept?.count !== webhooks) throw new Error(`${kept?.count} of ${webhooks} are in the inbox`);
    const sorted = waits.toSorted((a, b) => a - b);
    const share = (part: number) => Math.round((sorted[Math.ceil(part * sorted.length) - 1] ?? 0) * 10) / 10;
    return {
      webhooks,
      perSecond,
      p50Ms: share(0.5),
      p99Ms: share(0.99),
      longestMs: share(1),
      syncMs: server.syncMs,
    };
  } finally {
    child.kill("SIGKILL");
    await db.close();
    await server.stop();
  }
}

/** Sends each when it is due, whatever became of those before; answers how long each took from then, in milliseconds. */
async function atRate(
  count: number,
  perSecond: number,
  work: (number: number) => Promise<void>,
): Promise<number[]> {
  const begunAt = performance.now();
  const running: Promise<number>[] = [];
  for (let number = 0; number < count; number += 1) {
    const dueAt = begunAt + (number * 1000) / perSecond;
    const wait = dueAt - performance.now();
    if (wait > 1) await pause(wait);
    running.push(work(number).then(() => performance.now() - Math.max(dueAt, begunAt)));
    if ((number + 1) % (perSecond * 5) === 0) console.log(`${number + 1} of ${count} webhooks sent`);
  }
  return await Promise.all(running);
}

function sender(url: string, secret: string): (id: string) => Promise<void> {
  return async (id) => {
    // Half of them are of kinds that something follows from.
    const type = id.length % 2 === 0 ? "payout.paid" : "invoice.finalized";
    const lines = Array.from({ length: 10 }, (_, line) => ({
      id: `il_${line}`,
      amount: 100,
      description: "Tokens",
    }));
    const object = { id: "po_1", object: "payout", lines };
    const payload = JSON.stringify({
      id,
      object: "event",
      type,
      api_version: "2026-10-28.endive",
      created: Math.floor(Date.now() / 1000),
      livemode: false,
      data: { object },
    });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
    const answer = await fetch(`${url}/v1/webhooks/stripe`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Stripe-Signature": signature },
      body: payload,
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  };
}
