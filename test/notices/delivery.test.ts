import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { addSecret, newSigningSecret } from "../../src/db/notices/endpoint-secrets.ts";
import { changeEndpoint, findEndpoint } from "../../src/db/notices/endpoints.ts";
import { replayDelivery, replayRange } from "../../src/db/notices/replay.ts";
import { type Instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { retryAfterSeconds } from "../../src/domain/notices/index.ts";
import { PostOffice, until } from "./support/post-office.ts";
import { type Receiver, startReceiver, verified } from "./support/receiver.ts";

let office: PostOffice;
let receiver: Receiver;
beforeEach(async () => {
  office = await PostOffice.open();
  receiver = await startReceiver();
});
afterEach(async () => {
  await office.close();
  await receiver.close();
});

const hour = 3_600_000;
const fails = (status: number) =>
  receiver.answerWith((_request, response) => response.writeHead(status).end("no"));

describe("a notice", () => {
  test("comes to every endpoint that wants it, signed, the same bytes under the same id", async () => {
    const secret = await office.endpoint("we_all", `${receiver.url}/all`);
    await office.endpoint("we_cards", `${receiver.url}/cards`, ["payment_method.expiring"]);
    await office.endpoint("we_invoices", `${receiver.url}/invoices`, ["invoice.issued"]);
    const id = await office.tell("card/1");
    await office.tell("card/1");
    office.start();
    await until(() => receiver.received.length === 2);
    expect(receiver.received.map(({ path }) => path).toSorted()).toEqual(["/hooks/all", "/hooks/cards"]);
    const [first, second] = receiver.received;
    expect(second?.body).toBe(first?.body);
    const all = receiver.received.find(({ path }) => path === "/hooks/all");
    expect(all && verified(all, secret)).toEqual({
      id,
      type: "payment_method.expiring",
      sequence: expect.stringMatching(/^\d+$/),
      timestamp: "2026-03-01T00:00:00.000Z",
      customer_id: "acme",
      data: { brand: "visa", last4: "4242", exp_month: 3, exp_year: 2026 },
    });
    expect(all?.headers).toMatchObject({ "webhook-id": id, "webhook-attempt": "1" });
    const { attempts } = await office.delivery(`${id}.we_all`, ({ state }) => state === "delivered");
    expect(attempts).toMatchObject([{ outcome: "delivered", status: 204, error: null }]);
  });

  test("that is refused by another secret, or changed on the way, does not verify", async () => {
    const secret = await office.endpoint("we_1", receiver.url);
    await office.tell("card/1");
    office.start();
    await until(() => receiver.received.length === 1);
    const [one] = receiver.received;
    if (one === undefined) throw new Error("nothing came");
    expect(() => verified(one, newSigningSecret())).toThrow("No matching signature");
    expect(() => verified({ ...one, body: `${one.body} ` }, secret)).toThrow("No matching signature");
  });

  test("is signed with both secrets while one is replaced, and with the new one alone after that", async () => {
    const earlier = await office.endpoint("we_1", receiver.url);
    const later = newSigningSecret();
    const at = office.now();
    const over = instantOfEpochMs(at + hour);
    await inTransaction(office.db, (tx) =>
      addSecret(tx, office.sealingKeys, { endpointId: "we_1", text: later, at }, over),
    );
    await office.tell("card/1");
    office.start();
    await until(() => receiver.received.length === 1);
    for (const secret of [earlier, later]) {
      expect(receiver.received.map((one) => verified(one, secret))).toHaveLength(1);
    }
    office.pass(2 * hour);
    await office.tell("card/2");
    await until(() => receiver.received.length === 2);
    const signatures = receiver.received[1]?.headers["webhook-signature"]?.split(" ");
    expect(signatures).toHaveLength(1);
  });

  test("keeps its secrets out of the database and the log", async () => {
    const secret = await office.endpoint("we_1", receiver.url);
    fails(500);
    await office.tell("card/1");
    office.start();
    await until(() => office.log.includes("notice not delivered"));
    const stored = await office.db.sql`select encode(sealed, 'escape') as sealed from notice.endpoint_secret`;
    for (const text of [JSON.stringify(stored), office.log]) expect(text).not.toContain(secret.slice(6));
  });
});

describe("a receiver that", () => {
  test.each([
    { what: "fails", status: 500, error: "answered 500" },
    { what: "redirects", status: 302, error: "answered 302: redirects are not followed" },
    { what: "refuses", status: 401, error: "answered 401" },
  ])("$what is tried again later, and not before", async ({ status, error }) => {
    const elsewhere = await startReceiver();
    receiver.answerWith((_request, response) =>
      response.writeHead(status, { location: elsewhere.url }).end("a".repeat(5_000)),
    );
    await office.endpoint("we_1", receiver.url);
    const id = await office.tell("card/1");
    office.start();
    const first = await office.delivery(`${id}.we_1`, ({ attempts }) => attempts.length === 1);
    expect(first).toMatchObject({ state: "waiting", attempts: [{ outcome: "failed", status, error }] });
    expect(first.attempts[0]?.answer).toBe("a".repeat(1_024));
    const pause = first.next - (first.attempts[0]?.attemptedAt ?? 0);
    expect(pause).toBeGreaterThanOrEqual(4_000);
    expect(pause).toBeLessThan(8_000);
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
    receiver.answerWith((_request, response) => response.writeHead(200).end("ok"));
    office.pass(8_000);
    const second = await office.delivery(`${id}.we_1`, ({ state }) => state === "delivered");
    expect(second.attempts).toMatchObject([
      { attempt: 1 },
      { attempt: 2, outcome: "delivered", answer: "ok" },
    ]);
  });

  test.each([
    {
      what: "closes the connection",
      answer: (request: import("node:http").IncomingMessage) => request.socket.destroy(),
      error: /socket hang up|ECONNRESET/,
    },
    { what: "never answers", answer: () => {}, error: /no answer within 0.3 seconds/ },
    {
      what: "never ends its answer",
      answer: (_request: unknown, response: import("node:http").ServerResponse) =>
        response.writeHead(200).write("…"),
      error: /no answer within 0.3 seconds/,
    },
  ])("$what has not got it", async ({ answer, error }) => {
    receiver.answerWith(answer);
    await office.endpoint("we_1", receiver.url);
    const id = await office.tell("card/1");
    office.start({ post: { timeoutMs: 300, privateAllowed: true } });
    const { state, attempts } = await office.delivery(`${id}.we_1`, (found) => found.attempts.length === 1);
    expect(state).toBe("waiting");
    expect(attempts[0]).toMatchObject({
      outcome: "failed",
      status: null,
      error: expect.stringMatching(error),
    });
  });

  test("asks to be left alone is, for so long", async () => {
    receiver.answerWith((_request, response) => response.writeHead(429, { "retry-after": "3600" }).end());
    await office.endpoint("we_1", receiver.url);
    const id = await office.tell("card/1");
    office.start();
    const { next, attempts } = await office.delivery(`${id}.we_1`, (found) => found.attempts.length === 1);
    expect(next - (attempts[0]?.attemptedAt ?? 0)).toBeGreaterThanOrEqual(hour);
  });

  test("is slow holds up no other", async () => {
    const quick = await startReceiver();
    receiver.answerWith(() => {});
    await office.endpoint("we_slow", receiver.url);
    await office.endpoint("we_quick", quick.url);
    for (let number = 0; number < 60; number++) await office.tell(`card/${number}`);
    office.start({ post: { timeoutMs: 3_000, privateAllowed: true } });
    await until(() => quick.received.length === 60, 2_900);
    expect(receiver.received.length).toBe(8);
    await quick.close();
  });
});

describe("an endpoint at which everything fails", () => {
  test("is given up notice by notice after days, and then disabled; the others are told, and it can be replayed", async () => {
    const watcher = await startReceiver();
    await office.endpoint("we_bad", receiver.url, ["payment_method.expiring"]);
    await office.endpoint("we_watch", watcher.url, ["webhook_endpoint.disabled"]);
    fails(503);
    const from = instantOfEpochMs(Date.now() - hour);
    const id = await office.tell("card/1");
    office.start();
    for (const [index, seconds] of [...retryAfterSeconds, 0].entries()) {
      await office.delivery(`${id}.we_bad`, ({ attempts }) => attempts.length === index + 1);
      office.pass(seconds * 1_200 + 100);
    }
    await office.delivery(`${id}.we_bad`, ({ state }) => state === "given_up");
    expect(await findEndpoint(office.db.orm, "we_bad")).toMatchObject({ state: "enabled" });
    // Five days after the first that failed, and none has succeeded since.
    office.pass(48 * hour);
    const second = await office.tell("card/2");
    await office.delivery(`${second}.we_bad`, ({ attempts }) => attempts.length === 1);
    expect(await findEndpoint(office.db.orm, "we_bad")).toMatchObject({
      state: "disabled",
      reason: "failing",
    });
    await until(() => watcher.received.length === 1);
    expect(watcher.received[0]?.notice).toMatchObject({
      type: "webhook_endpoint.disabled",
      customer_id: null,
      data: { endpoint_id: "we_bad", reason: "failing", url: receiver.url },
    });
    await office.tell("card/3");
    await until(
      async () => (await office.db.sql`select from notice.notice where composed_at is null`).length === 0,
    );
    const count = receiver.received.length;
    receiver.answerWith((_request, response) => response.writeHead(200).end());
    await changeEndpoint(office.db.orm, "we_bad", { enabled: true });
    const to = (Date.now() + hour) as Instant;
    const range = { endpointId: "we_bad", from, to, which: "undelivered" } as const;
    expect(await replayRange(office.db.orm, range, office.now())).toBe(3);
    await until(() => receiver.received.length === count + 3);
    for (const each of [id, second]) {
      await office.delivery(`${each}.we_bad`, ({ state }) => state === "delivered");
    }
    await until(
      async () => (await office.db.sql`select from notice.delivery where state = 'waiting'`).length === 0,
    );
    expect(await replayRange(office.db.orm, range, office.now())).toBe(0);
    expect(await replayRange(office.db.orm, { ...range, which: "all" }, office.now())).toBe(3);
    await until(() => receiver.received.length === count + 6);
    await watcher.close();
  });

  test("is disabled at once when it says that it is gone", async () => {
    await office.endpoint("we_1", receiver.url);
    fails(410);
    const id = await office.tell("card/1");
    office.start();
    await office.delivery(`${id}.we_1`, ({ attempts }) => attempts.length === 1);
    expect(await findEndpoint(office.db.orm, "we_1")).toMatchObject({ state: "disabled", reason: "gone" });
  });
});

test("one delivery is made again when it is asked for, under the same id", async () => {
  await office.endpoint("we_1", receiver.url);
  const id = await office.tell("card/1");
  office.start();
  await office.delivery(`${id}.we_1`, ({ state }) => state === "delivered");
  expect(await replayDelivery(office.db.orm, `${id}.we_1`, office.now())).toBe(true);
  await until(() => receiver.received.length === 2);
  expect(receiver.received.map((one) => one.id)).toEqual([id, id]);
  expect(await replayDelivery(office.db.orm, "nothing", office.now())).toBe(false);
});
