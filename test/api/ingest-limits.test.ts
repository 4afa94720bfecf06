import { connect } from "node:net";
import { Readable } from "node:stream";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBody } from "../../src/api/ingest/read-body.ts";
import {
  wireEvent as event,
  type IngestApi,
  openRequest,
  outcomesOf,
  startIngestApi,
} from "./support/ingest-api.ts";

const kilo = 1_000;
const limits = { requests: 20, events: 1_000, bytes: 100 * kilo };
let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi({}, { limits });
});
afterAll(() => api.stop());

async function inFlight() {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const read = (what: string) =>
    Number(new RegExp(`^reckoner_ingest_${what}_in_flight (\\d+)$`, "m").exec(text)?.[1]);
  return { requests: read("requests"), bytes: read("bytes"), events: read("events") };
}

const nothing = { requests: 0, bytes: 0, events: 0 };
const untilNothingIsInFlight = () => expect.poll(inFlight).toEqual(nothing);

async function expectRefusal(response: Promise<Response>): Promise<void> {
  const { status, headers, ...refusal } = await response.then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    body: await answer.json(),
  }));
  expect([status, headers.get("retry-after")]).toEqual([429, "1"]);
  expect(refusal.body).toMatchObject({ code: "too_many_requests" });
}

describe("too much at once is asked to come again, and is welcome later", () => {
  test("too many requests", async () => {
    const admitted = await api.whileHeldUp(async () => {
      const first = Array.from({ length: 20 }, (_, n) => api.post(event({ id: `requests/${n}` })));
      await expect.poll(inFlight).toMatchObject({ requests: 20 });
      await expectRefusal(api.post(event({ id: "requests/20" })));
      return first.map((answer) => ({ answer }));
    });
    for (const { answer } of admitted) expect((await answer).status).toBe(200);
    await untilNothingIsInFlight();
    expect(await outcomesOf(await api.post(event({ id: "requests/20" })))).toEqual(["accepted"]);
  });

  test("too many events", async () => {
    const list = (name: string, count: number) =>
      Array.from({ length: count }, (_, n) => ({ ...short, id: `${name}/${n}` }));
    const admitted = await api.whileHeldUp(async () => {
      const first = [api.post(list("many", 500)), api.post(list("more", 520))];
      await expect.poll(inFlight).toMatchObject({ events: 1_020 });
      await expectRefusal(api.post(event({ id: "events/1" })));
      return first.map((answer) => ({ answer }));
    });
    for (const { answer } of admitted) expect((await answer).status).toBe(200);
    await untilNothingIsInFlight();
    expect(await outcomesOf(await api.post(event({ id: "events/1" })))).toEqual(["accepted"]);
  });

  /** Few bytes: nobody knows its type, so it waits in quarantine. */
  const short = { source: "s", customer: "acme", type: "t", time: "2026-02-15T10:30:00Z" };

  test("too many bytes, and before the body is read", async () => {
    const large = openRequest(api, { "content-length": String(90 * kilo) });
    await expect.poll(inFlight).toMatchObject({ bytes: 90 * kilo });
    const unread = openRequest(api, { "content-length": String(20 * kilo) });
    expect(await unread.answer).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    unread.breakOff();
    expect((await api.post(event({ id: "bytes/1" }))).status).toBe(200); // there is room for a small one
    large.breakOff();
    await untilNothingIsInFlight();
  });

  test("more bytes than were announced", async () => {
    const large = openRequest(api, { "content-length": String(90 * kilo) });
    await expect.poll(inFlight).toMatchObject({ bytes: 90 * kilo });
    const growing = openRequest(api);
    growing.write(" ".repeat(9 * kilo));
    await expect.poll(inFlight).toMatchObject({ bytes: 99 * kilo });
    growing.write(" ".repeat(9 * kilo));
    expect((await growing.answer).status).toBe(429);
    growing.breakOff();
    const compressed = new Uint8Array(gzipSync(" ".repeat(30 * kilo)));
    await expectRefusal(api.post(compressed, { "content-encoding": "gzip" }));
    large.breakOff();
    await untilNothingIsInFlight();
  });

  test("a request that is alone is never too much", async () => {
    const padded = JSON.stringify([event({ id: "alone" })]) + " ".repeat(3 * limits.bytes);
    expect(await outcomesOf(await api.post(padded))).toEqual(["accepted"]);
    const unannounced = openRequest(api);
    unannounced.write(padded.replace("alone", "alone-2"));
    unannounced.end();
    expect((await unannounced.answer).status).toBe(200);
    await untilNothingIsInFlight();
  });
});

describe("a body that is too large", () => {
  const max = 10 * 1024 * 1024;

  test("is refused unread when it says so", async () => {
    const large = openRequest(api, { "content-length": String(max + 1) });
    expect((await large.answer).status).toBe(413);
    large.breakOff();
    await untilNothingIsInFlight();
  });

  test("is refused where it becomes so when it does not", async () => {
    const large = openRequest(api);
    for (let kilos = 0; kilos <= 10_300; kilos += 100) large.write(" ".repeat(100 * 1024));
    const answer = await large.answer;
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([413, "body_too_large"]);
    large.breakOff();
    await untilNothingIsInFlight();
  });

  const zeros = Buffer.alloc(200 * max);
  test.each([
    { encoding: "gzip", bomb: gzipSync(zeros, { level: 1 }) },
    { encoding: "br", bomb: brotliCompressSync(zeros.subarray(0, 20 * max), { params: { 1: 0 } }) },
    { encoding: "zstd", bomb: zstdCompressSync(zeros) },
  ])("hidden in $encoding is not decompressed beyond the limit", async ({ encoding, bomb }) => {
    let taken = 0;
    const reading = readBody(Readable.from([bomb]), {
      encoding,
      bytesMax: max,
      grow: () => {},
      take: (piece) => {
        taken += piece.length;
      },
    });
    await expect(reading).rejects.toMatchObject({ code: "body_too_large" });
    expect(taken).toBeLessThanOrEqual(max);
    const response = await api.post(new Uint8Array(bomb), { "content-encoding": encoding });
    expect(response.status).toBe(413);
    await untilNothingIsInFlight();
  });
});

describe("a client", () => {
  const text = JSON.stringify(event({ id: "dying", source: "dying" }));
  test.each([
    { body: "a document", headers: {}, begun: text },
    { body: "lines", headers: { "content-type": "application/x-ndjson" }, begun: `${text}\n` },
    { body: "gzip", headers: { "content-encoding": "gzip" }, begun: gzipSync(text).subarray(0, 50) },
  ])("that dies within $body leaves nothing behind", async ({ headers, begun }) => {
    const dying = openRequest(api, headers);
    dying.write(begun);
    await expect.poll(inFlight).toMatchObject({ requests: 1 });
    dying.breakOff();
    await untilNothingIsInFlight();
    expect(await api.acceptedOf("dying")).toBe(0);
    expect(api.log()).not.toContain("unexpected error");
  });

  test("that dies before its answer has been counted all the same", async () => {
    await api.whileHeldUp(async () => {
      const dying = openRequest(api);
      dying.write(JSON.stringify(event({ id: "unanswered", source: "unanswered" })));
      dying.end();
      await expect.poll(inFlight).toMatchObject({ events: 1 });
      dying.breakOff();
      await untilNothingIsInFlight();
    });
    await expect.poll(() => api.acceptedOf("unanswered")).toBe(1);
  });

  test("that takes no answers is soon refused, and holds up nobody", async () => {
    const { hostname: host, port } = new URL(api.url);
    const body = JSON.stringify(Array.from({ length: 900 }, () => ({ id: "x".repeat(200) })));
    const bytes = Buffer.byteLength(body);
    const head = `POST /v1/events HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${api.adminKey}\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
    const socket = connect({ host, port: Number(port) });
    socket.pause();
    socket.on("error", () => {});
    for (let request = 0; request < 100; request++) socket.write(head + body);
    await expect.poll(async () => (await inFlight()).requests).toBeGreaterThan(0);
    expect((await api.get("/healthz")).status).toBe(200);
    const other = await api.post(event({ id: "beside" }));
    expect([200, 429]).toContain(other.status);
    socket.destroy();
    // What the dead client had sent ahead may yet be read and take the places of others, for as long as that lasts.
    await expect.poll(async () => (await api.post(event({ id: "beside" }))).status).toBe(200);
    await untilNothingIsInFlight();
  });
});

test("other requests are answered while usage waits for the database", async () => {
  const waiting = await api.whileHeldUp(async () => {
    const held = Array.from({ length: 20 }, (_, n) => api.post(event({ id: `waiting/${n}` })));
    await expect.poll(inFlight).toMatchObject({ requests: 20 });
    for (const path of ["/healthz", "/readyz", "/v1/customers", "/v1/events?customer=acme"]) {
      expect((await api.get(path)).status, path).toBe(200);
    }
    expect(await inFlight()).toMatchObject({ requests: 20 });
    return held.map((answer) => ({ answer }));
  });
  for (const { answer } of waiting) expect((await answer).status).toBe(200);
});
