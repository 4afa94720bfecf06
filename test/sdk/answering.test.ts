import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UsageAnswer } from "../../src/sdk/usage/node.ts";
import {
  answer,
  type FakeApi,
  ordinaryReply,
  problem,
  type Reply,
  type SeenRequest,
  startFakeApi,
} from "./support/fake-api.ts";
import { event, idsIn, idsOf, newFolder, reportMany, startReporting } from "./support/reporting.ts";

/** What the reporter makes of the API's answers. */

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api.stop());

/** The first `times` requests are answered so, the others as usual. */
const first = (times: number, reply: Reply | "hang" | "cut") => (_: SeenRequest) =>
  api.requests.length <= times ? reply : undefined;

describe("answers event by event", () => {
  test("each is counted, and those that somebody should look at are told, with the event", async () => {
    const status = ["accepted", "duplicate", "conflict", "invalid", "quarantined", "accepted"];
    api.behave = () =>
      answer(status.map((each, index) => ({ index, status: each, code: `c_${each}`, detail: "why" })));
    const answers: UsageAnswer[] = [];
    const { reporter, problems } = startReporting({
      apiUrl: api.url,
      onAnswer: (answer) => answers.push(answer),
    });
    reportMany(reporter, 0, 6);
    expect(await reporter.flush()).toBe(true);
    expect(reporter.stats()).toMatchObject({
      taken: 6,
      accepted: 2,
      duplicates: 1,
      conflicts: 1,
      invalid: 1,
      quarantined: 1,
      queued: 0,
    });
    expect(answers.map(({ id, status }) => [id, status])).toEqual(status.map((each, n) => [`e/${n}`, each]));
    expect(problems.map(({ code, reason, event }) => [code, reason, event?.id])).toEqual([
      ["event_conflict", "c_conflict", "e/2"],
      ["event_invalid", "c_invalid", "e/3"],
      ["event_quarantined", "c_quarantined", "e/4"],
    ]);
    expect(JSON.parse(problems[1]?.event?.json ?? "")).toEqual({ ...event(3), source: "gateway" });
  });

  test.each([
    { why: "HTML", body: "<html>", status: 200 },
    { why: "no results", body: { results: [] }, status: 200 },
    { why: "an answer to fewer events", ...answer([{ index: 0, status: "accepted" }]) },
    { why: "an answer to more events", ...answer([0, 1, 2].map((index) => ({ index, status: "accepted" }))) },
    {
      why: "a problem of an event that is not there",
      ...answer([0, 7].map((index) => ({ index, status: "invalid" }))),
    },
    { why: "one problem twice", ...answer([0, 0].map((index) => ({ index, status: "invalid" }))) },
    {
      why: "a count below nothing",
      body: { ...(answer([]).body as object), accepted: 3, duplicates: -1 },
      status: 200,
    },
    { why: "a redirect", body: {}, status: 302 },
    { why: "a page that is not there", body: {}, status: 404 },
    { why: "a refusal that is not Reckoner's", body: { error: "bad request" }, status: 400 },
    { why: "a limit that is not Reckoner's", body: "too large", status: 413 },
    { why: "a body that got lost on its way", ...problem(400, "body_incomplete") },
  ])(
    "nothing is given up because of $why: the same events are sent until they are answered",
    async ({ body, status }) => {
      api.behave = first(3, { status, body });
      const { reporter } = startReporting({ apiUrl: api.url });
      reportMany(reporter, 0, 2);
      expect(await reporter.flush()).toBe(true);
      expect(idsIn(api.kept)).toEqual(["e/0", "e/1"]);
      expect(reporter.stats()).toMatchObject({ accepted: 2, invalid: 0, dropped: 0 });
    },
  );
});

describe("what is wrong with one event", () => {
  const refuseOddOnes = (code: string, status: number) => (request: SeenRequest) =>
    request.events?.some(({ id }) => id === "e/13" || id === "e/77") ? problem(status, code) : undefined;

  test.each([
    { status: 400, code: "request_invalid" },
    { status: 413, code: "body_too_large" },
  ])(
    "a batch refused with $status is divided until the events at fault stand alone",
    async ({ status, code }) => {
      api.behave = refuseOddOnes(code, status);
      const { reporter, problems } = startReporting({ apiUrl: api.url, gzip: false });
      reportMany(reporter, 0, 100);
      expect(await reporter.flush()).toBe(true);
      expect(idsIn(api.kept)).toEqual(idsOf(0, 100).filter((id) => id !== "e/13" && id !== "e/77"));
      expect(reporter.stats()).toMatchObject({ accepted: 98, invalid: 2, queued: 0 });
      expect(problems.map((each) => [each.code, each.reason, each.event?.id]).sort()).toEqual([
        ["event_invalid", code, "e/13"],
        ["event_invalid", code, "e/77"],
      ]);
    },
  );

  test("an event that makes the API fail is set apart and never given up; all others get through", async () => {
    api.behave = refuseOddOnes("internal_error", 500);
    const { reporter } = startReporting({
      apiUrl: api.url,
      batchEventsMax: 10,
      backoffFirstMs: 1,
      backoffMaxMs: 2,
    });
    reportMany(reporter, 0, 200);
    await expect.poll(() => reporter.stats().accepted, { timeout: 20_000 }).toBe(198);
    expect(reporter.stats()).toMatchObject({ queued: 2, invalid: 0, apiProblem: "api_failing" });
    api.behave = () => undefined; // the API is mended
    await expect.poll(() => reporter.stats().accepted, { timeout: 20_000 }).toBe(200);
  });
});

describe("an API that is not well", () => {
  test.each([
    { why: "cuts the line", reply: "cut" as const, code: "api_unreachable" },
    { why: "does not answer in time", reply: "hang" as const, code: "api_unreachable" },
    { why: "fails", reply: problem(500, "internal_error"), code: "api_failing" },
    { why: "is away", reply: problem(503, "unavailable", { "retry-after": "0" }), code: "api_overloaded" },
    { why: "is flooded", reply: problem(429, "too_many_requests"), code: "api_overloaded" },
    { why: "does not know the key", reply: problem(401, "api_key_invalid"), code: "api_key_refused" },
    { why: "does not allow it to this key", reply: problem(403, "scope_missing"), code: "api_key_refused" },
  ])(
    "one that $why is asked again, with the same events; that is told once, and when it is over",
    async ({ reply, code }) => {
      api.behave = first(4, reply);
      const { reporter, codes, recoveries } = startReporting({
        apiUrl: api.url,
        requestsInFlightMax: 1,
        requestTimeoutMs: reply === "hang" ? 500 : 10_000,
      });
      reporter.report(event(1));
      expect(await reporter.flush()).toBe(true);
      expect(api.requests).toHaveLength(5);
      const bodies = api.requests.map(({ events }) => JSON.stringify(events));
      expect(new Set(bodies).size).toBe(1);
      expect(codes()).toEqual([code]);
      expect(recoveries).toEqual([{ code: "api_answers", detail: expect.any(String) }]);
      expect(reporter.stats()).toMatchObject({ accepted: 1, apiProblem: undefined });
    },
  );

  test.each([{ retryAfter: "1" }, { retryAfter: "a date" }])(
    "Retry-After is obeyed: $retryAfter",
    async ({ retryAfter }) => {
      // A date has whole seconds: this one is more than one second ahead.
      const wish = () => (retryAfter === "1" ? "1" : new Date(Date.now() + 2_000).toUTCString());
      api.behave = () =>
        api.requests.length === 1 ? problem(429, "too_many_requests", { "retry-after": wish() }) : undefined;
      const { reporter } = startReporting({ apiUrl: api.url });
      reportMany(reporter, 0, 3);
      expect(await reporter.flush()).toBe(true);
      const [asked = 0, again = 0] = api.requests.map(({ atMs }) => atMs);
      expect(again - asked).toBeGreaterThanOrEqual(1_000);
    },
  );

  test("a storm of 429 loses nothing and sends nothing twice that was answered", async () => {
    let turn = 0;
    api.behave = () => (turn++ % 3 === 0 ? undefined : problem(429, "too_many_requests"));
    const { reporter } = startReporting({ apiUrl: api.url, batchEventsMax: 20, backoffMaxMs: 5 });
    reportMany(reporter, 0, 1_000);
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 1_000));
    expect(reporter.stats()).toMatchObject({ accepted: 1_000, duplicates: 0 });
  });

  test("while it is away a single request at a time tries whether it is back", async () => {
    let [underWay, most] = [0, 0];
    api.behave = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      return problem(503, "unavailable");
    };
    const { reporter } = startReporting({ apiUrl: api.url, batchEventsMax: 10, requestsInFlightMax: 8 });
    reportMany(reporter, 0, 1_000);
    await expect.poll(() => api.requests.length).toBeGreaterThan(8);
    most = 0;
    const before = api.requests.length;
    await expect.poll(() => api.requests.length).toBeGreaterThan(before + 5);
    expect(most).toBe(1);
  });

  test("a key that is replaced is used for the next attempt; meanwhile events are kept", async () => {
    let key = "wrong";
    api.behave = ({ headers }) =>
      headers.authorization === "Bearer right" ? undefined : problem(401, "api_key_invalid");
    const { reporter, codes } = startReporting({
      apiUrl: api.url,
      apiKey: async () => key,
      spoolFolder: newFolder(),
    });
    reportMany(reporter, 0, 50);
    await expect.poll(codes).toEqual(["api_key_refused"]);
    await expect.poll(() => reporter.stats().spooled).toBe(50);
    key = "right";
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 50));
  });

  test("a function for the key that fails, or never answers, holds events back and nothing else", async () => {
    const tries = [
      () => Promise.reject(new Error("no vault")),
      () => new Promise<string>(() => {}),
      () => "right",
    ];
    const apiKey = () => (tries.length > 1 ? tries.shift() : tries[0])?.() ?? "";
    const { reporter, codes } = startReporting({ apiUrl: api.url, apiKey, requestTimeoutMs: 500 });
    reporter.report(event(1));
    expect(await reporter.flush()).toBe(true);
    expect(codes()).toEqual(["api_key_refused"]);
  });
});

describe("compression", () => {
  test("batches are compressed", async () => {
    const { reporter } = startReporting({ apiUrl: api.url });
    reportMany(reporter, 0, 100);
    await reporter.flush();
    expect(api.requests.map(({ isCompressed }) => isCompressed)).toEqual([true]);
    expect(api.requests[0]?.bytes).toBeLessThan(JSON.stringify(api.requests[0]?.events).length / 4);
  });

  test.each([
    { status: 415, reply: { status: 415 } },
    { status: 400, reply: problem(400, "json_malformed") },
  ])("an API that answers them with $status is sent plain ones from then on", async ({ reply }) => {
    api.behave = ({ isCompressed }) => (isCompressed ? reply : undefined);
    const { reporter, problems } = startReporting({ apiUrl: api.url, batchEventsMax: 50 });
    for (const from of [0, 50, 100]) {
      reportMany(reporter, from, from + 50);
      expect(await reporter.flush()).toBe(true);
    }
    expect(api.requests.map(({ isCompressed }) => isCompressed)).toEqual([true, false, false, false]);
    expect(problems).toEqual([]);
    expect(api.kept.size).toBe(150);
  });
});

test("the answer that gets lost on its way makes duplicates, not more usage", async () => {
  const kept = new Map(api.kept);
  api.behave = (request) => {
    const reply = ordinaryReply(request, kept);
    return api.requests.length <= 2 ? "cut" : reply;
  };
  const { reporter } = startReporting({ apiUrl: api.url, requestsInFlightMax: 1, batchEventsMax: 10 });
  reportMany(reporter, 0, 20);
  expect(await reporter.flush()).toBe(true);
  expect(kept.size).toBe(20);
  expect(reporter.stats().accepted + reporter.stats().duplicates).toBe(20);
  expect(reporter.stats().duplicates).toBeGreaterThan(0);
});
