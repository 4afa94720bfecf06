import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  answerOf,
  type IngestApi,
  openRequest,
  outcomesOf,
  startIngestApi,
  wireEvent,
} from "./support/ingest-api.ts";

let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi();
});
afterAll(() => api.stop());

let made = 0;
/** An event that was not sent before. */
const event = (over: object = {}) => wireEvent({ id: `format/${++made}`, ...over });

const cloudEvent = (over: object = {}) => {
  const { customer, ...attributes } = event();
  return { specversion: "1.0", subject: customer, ...attributes, ...over };
};

const json = JSON.stringify;
const ndjson = { "content-type": "application/x-ndjson" };
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

describe("what is accepted", () => {
  test.each([
    { form: "one event", type: "application/json", body: () => json(event()), count: 1 },
    { form: "a list", type: "application/json", body: () => json([event(), event()]), count: 2 },
    {
      form: "events in an object",
      type: "application/json",
      body: () => json({ events: [event()] }),
      count: 1,
    },
    {
      form: "a named charset",
      type: 'application/json; charset="UTF-8"',
      body: () => json(event()),
      count: 1,
    },
    {
      form: "CloudEvents as JSON",
      type: "application/json",
      body: () => json([cloudEvent(), event()]),
      count: 2,
    },
    {
      form: "a structured CloudEvent",
      type: "application/cloudevents+json",
      body: () => json(cloudEvent()),
      count: 1,
    },
    {
      form: "a batch of CloudEvents",
      type: "application/cloudevents-batch+json; charset=utf-8",
      body: () => json([cloudEvent(), cloudEvent()]),
      count: 2,
    },
    {
      form: "lines",
      type: "application/x-ndjson",
      body: () => `${json(event())}\n${json(event())}\n`,
      count: 2,
    },
    {
      form: "lines, the last without its end",
      type: "application/ndjson",
      body: () => `${json(event())}\n${json(event())}`,
      count: 2,
    },
    {
      form: "lines as on Windows",
      type: "application/jsonl",
      body: () => `${json(event())}\r\n\r\n${json(event())}\r\n`,
      count: 2,
    },
    {
      form: "CloudEvents in lines",
      type: "application/x-ndjson",
      body: () => `${json(cloudEvent())}\n`,
      count: 1,
    },
    { form: "no line", type: "application/x-ndjson", body: () => "\n", count: 0 },
  ])("$form", async ({ type, body, count }) => {
    const answer = await answerOf(await api.post(body(), { "content-type": type }));
    expect([answer.accepted, answer.results.length]).toEqual([count, count]);
  });

  test.each([
    { encoding: "gzip", compress: gzipSync },
    { encoding: "x-gzip", compress: gzipSync },
    { encoding: "deflate", compress: deflateSync },
    { encoding: "br", compress: brotliCompressSync },
    { encoding: "zstd", compress: zstdCompressSync },
    { encoding: " GZIP ", compress: gzipSync },
    { encoding: "identity", compress: (text: string) => Buffer.from(text) },
  ])("Content-Encoding: $encoding", async ({ encoding, compress }) => {
    const events = Array.from({ length: 300 }, () => event());
    const compressed = (text: string) => new Uint8Array(compress(text));
    const document = await api.post(compressed(json(events.slice(0, 150))), { "content-encoding": encoding });
    const lines = events
      .slice(150)
      .map((each) => json(each))
      .join("\n");
    const inLines = await api.post(compressed(lines), { "content-encoding": encoding, ...ndjson });
    expect([(await answerOf(document)).accepted, (await answerOf(inLines)).accepted]).toEqual([150, 150]);
  });

  test("a body of unknown length, in pieces that end within lines and letters", async () => {
    const lines = Buffer.from(
      Array.from({ length: 20 }, () => json(event({ data: { model: "größer — 大", tokens: 1 } }))).join("\n"),
    );
    const open = openRequest(api, ndjson);
    for (let from = 0; from < lines.length; from += 37) open.write(lines.subarray(from, from + 37));
    open.end();
    expect(JSON.parse((await open.answer).text)).toMatchObject({ accepted: 20 });
  });

  test("a CloudEvent in binary mode: attributes in headers, data in the body", async () => {
    const { data, ...attributes } = cloudEvent({ source: "gateway/größer", id: "binary/100%" });
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value))]),
    );
    expect((await answerOf(await api.post(json(data), headers))).results).toEqual([
      { index: 0, id: "binary/100%", status: "accepted" },
    ]);
    const found = await api.get("/v1/events?customer=acme&id=binary/100%25&source=gateway/gr%C3%B6%C3%9Fer");
    expect(await found.json()).toMatchObject({ data: [{ data }] });
    // Structured mode says so by its type, whatever the headers are.
    const structured = { ...headers, "content-type": "application/cloudevents+json" };
    expect(await outcomesOf(await api.post(json(cloudEvent()), structured))).toEqual(["accepted"]);
    const withoutData = { ...headers, "ce-id": "binary/2", "content-type": "application/json" };
    const response = await fetch(`${api.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${api.adminKey}`, ...withoutData },
    });
    expect(await outcomesOf(response)).toEqual(["usage_property_missing"]);
  });
});

describe("what is wrong is said where it is", () => {
  test("a line that is not JSON is invalid alone", async () => {
    const body = Buffer.concat([
      Buffer.from(`${json(event())}\n{"id": "cut\n\n`),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(`7\n${json(event())}\n${json(event()).slice(0, -1)}`),
    ]);
    const { results, ...numbers } = await answerOf(await api.post(new Uint8Array(body), ndjson));
    expect(numbers).toEqual({ accepted: 2, duplicates: 0, conflicts: 0, invalid: 4, quarantined: 0 });
    expect(results.map(({ index, status, code }) => [index, code ?? status])).toEqual([
      [0, "accepted"],
      [1, "json_malformed"],
      [2, "json_malformed"],
      [3, "usage_event_invalid"],
      [4, "accepted"],
      [5, "json_malformed"],
    ]);
    expect(results[1]?.detail).toContain("line 2 ");
    expect(results[2]?.detail).toContain("line 4 is not UTF-8");
    expect(results[5]?.detail).toContain("line 7 ");
  });

  test("a name that JavaScript takes for an object's prototype is data like any other", async () => {
    const text = json(event({ data: { model: "m", tokens: 1 } })).replace(
      '"model"',
      '"__proto__":{"tokens":5},"model"',
    );
    expect(await outcomesOf(await api.post(text))).toEqual(["accepted"]);
    const [row] = await api.db.sql`select data::text as data from usage.event order by seq desc limit 1`;
    expect(JSON.parse(row?.data)).toEqual(JSON.parse(text).data);
  });

  test.each([
    { why: "no JSON", body: "{", status: 400, code: "json_malformed" },
    { why: "no UTF-8", body: bytes('{"id":"\xff"}'), status: 400, code: "json_malformed" },
    { why: "no body", body: "", status: 400, code: "body_missing" },
    { why: "more than a list", body: json({ events: [], more: 1 }), status: 400, code: "request_invalid" },
    {
      why: "text",
      headers: { "content-type": "text/plain" },
      body: "x",
      status: 415,
      code: "media_type_unsupported",
    },
    {
      why: "no type",
      headers: { "content-type": "" },
      body: bytes("{}"),
      status: 415,
      code: "media_type_unsupported",
    },
    {
      why: "another charset",
      headers: { "content-type": "application/json; charset=iso-8859-1" },
      body: "{}",
      status: 415,
      code: "media_type_unsupported",
    },
    {
      why: "an unknown encoding",
      headers: { "content-encoding": "compress" },
      body: "{}",
      status: 415,
      code: "encoding_unsupported",
    },
    {
      why: "two encodings",
      headers: { "content-encoding": "gzip, br" },
      body: "{}",
      status: 415,
      code: "encoding_unsupported",
    },
    {
      why: "an encoding that is none",
      headers: { "content-encoding": "gzip" },
      body: "{}",
      status: 400,
      code: "encoding_malformed",
    },
    {
      why: "a compressed body that was cut",
      headers: { "content-encoding": "gzip" },
      body: new Uint8Array(gzipSync(json([wireEvent()])).subarray(0, -10)),
      status: 400,
      code: "encoding_malformed",
    },
    { why: "10,001 events", body: json(Array(10_001).fill(0)), status: 413, code: "body_too_large" },
    { why: "10,001 lines", headers: ndjson, body: "0\n".repeat(10_001), status: 413, code: "body_too_large" },
    {
      why: "10,000 lines, of which none is an event",
      headers: ndjson,
      body: "0\n".repeat(10_000),
      status: 200,
      code: undefined,
    },
  ])("$why: $status", async ({ headers, body, status, code }) => {
    const response = await api.post(body, headers);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { code?: string }).code).toBe(code);
  });
});
