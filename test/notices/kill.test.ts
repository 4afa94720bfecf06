import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyNotice } from "../../src/sdk/index.ts";
import { PostOffice, until } from "./support/post-office.ts";
import { type Receiver, startReceiver } from "./support/receiver.ts";

let office: PostOffice;
let receiver: Receiver;
beforeAll(async () => {
  office = await PostOffice.open();
  receiver = await startReceiver();
});
afterAll(async () => {
  await office.close();
  await receiver.close();
});

const notices = 150;
const kills = 4;

function deliverer(aheadMs: number): ChildProcess {
  const key = Buffer.from(office.sealingKeys[0] ?? []).toString("base64");
  const argument = JSON.stringify({ url: office.appUrl, key, aheadMs });
  const program = join(import.meta.dirname, "support/deliverer.ts");
  return spawn(process.execPath, [program, argument], { stdio: "inherit" });
}

test("deliverers that are killed lose nothing: every notice comes, under one id, however often", async () => {
  const secret = await office.endpoint("we_1", receiver.url);
  // Slowly enough that there is always something under way.
  receiver.answerWith((_request, response) => setTimeout(() => response.writeHead(200).end("ok"), 100));
  const ids: string[] = [];
  for (let number = 0; number < notices; number++) ids.push(await office.tell(`card/${number}`));
  for (let kill = 1; kill <= kills; kill++) {
    const before = receiver.received.length;
    // What the one before had claimed is free again after a minute, which passes here at once.
    const running = deliverer(kill * 70_000);
    await until(() => receiver.received.length >= before + 12);
    running.kill("SIGKILL");
    await once(running, "exit");
  }
  const delivered = async () =>
    (await office.db.sql`select 1 from notice.delivery where state = 'delivered'`).length;
  expect(await delivered()).toBeLessThan(notices);
  const last = deliverer((kills + 1) * 70_000);
  await until(async () => (await delivered()) === notices);
  last.kill("SIGKILL");
  await once(last, "exit");
  expect([...new Set(receiver.received.map(({ id }) => id))].toSorted()).toEqual(ids.toSorted());
  const bodies = new Map(receiver.received.map(({ id, body }) => [id, body]));
  for (const one of receiver.received) {
    expect(one.body).toBe(bodies.get(one.id));
    // The deliverers' clocks were ahead of ours.
    await verifyNotice({ ...one, secret, toleranceSeconds: 3_600 });
  }
  const [log] = await office.db.sql`
    select count(*)::int as attempts, count(distinct delivery_id)::int as deliveries from notice.delivery_attempt`;
  // Whoever was killed between the answer and writing it down has delivered it, and it was delivered again.
  expect(log?.deliveries).toBe(notices);
  expect(receiver.received.length).toBeGreaterThanOrEqual(log?.attempts);
}, 120_000);
