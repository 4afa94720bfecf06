import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createReckonerClient,
  everyItem,
  type ReckonerApiError,
  type ReckonerClient,
} from "../../src/sdk/index.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

describe("the client against the API", () => {
  let api: RunningApi;
  let reckoner: ReckonerClient;
  beforeAll(async () => {
    api = await startApi();
    reckoner = createReckonerClient({ baseUrl: api.url, apiKey: api.adminKey });
  });
  afterAll(() => api.stop());

  test("writes and reads, each call under a key of its own", async () => {
    for (const id of ["a", "b", "c"]) {
      const body = { id, name: id, email: `${id}@test.test`, currency: "usd" };
      expect((await reckoner.post("/v1/customers", { body })).id).toBe(id);
    }
    const customer = await reckoner.patch("/v1/customers/{id}", {
      params: { path: { id: "a" } },
      body: { name: "A" },
    });
    expect(customer.name).toBe("A");
    expect((await reckoner.put("/v1/catalog", { body: { meters: [], plans: [] } })).plans).toEqual([]);
  });

  test("walks a list to its end", async () => {
    const ids: string[] = [];
    const customers = everyItem((page) =>
      reckoner.get("/v1/customers", { params: { query: { ...page, limit: 2 } } }),
    );
    for await (const { id } of customers) ids.push(id);
    expect(ids.toSorted()).toEqual(["a", "b", "c"]);
  });

  test("repeats a write under the key it is given", async () => {
    const send = () =>
      reckoner.post("/v1/api-keys", {
        body: { name: "k", scopes: ["read"] },
        params: { header: { "Idempotency-Key": "mine" } },
      });
    const [first, second] = [await send(), await send()];
    expect([second.id, second.secret]).toEqual([first.id, null]);
  });

  test("throws refusals with code, field, status and request id", async () => {
    const body = { name: "x", email: "x@test.test", currency: "zzz" };
    const error: ReckonerApiError = await reckoner.post("/v1/customers", { body }).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({
      name: "ReckonerApiError",
      status: 400,
      code: "request_invalid",
      field: "currency",
    });
    expect(error.message).toMatch(/is not a currency/);
    expect(api.log()).toContain(error.requestId);
  });
});

describe("the client on a bad line", () => {
  /** What the server does with each request in turn; it answers well when nothing is left. */
  let behaviours: ((
    respond: (status: number, body: object, headers?: Record<string, string>) => void,
    cut: () => void,
  ) => void)[];
  let seen: IncomingHttpHeaders[];
  let server: Server;
  let reckoner: ReckonerClient;

  beforeEach(async () => {
    [behaviours, seen] = [[], []];
    server = createServer((request, response) => {
      seen.push(request.headers);
      const respond = (status: number, body: object, headers: Record<string, string> = {}) =>
        response
          .writeHead(status, { "content-type": "application/json", ...headers })
          .end(JSON.stringify(body));
      request.resume().on("end", () => {
        const behave = behaviours.shift();
        if (behave) behave(respond, () => request.socket.destroy());
        else respond(200, { received: true });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    reckoner = createReckonerClient({
      baseUrl: `http://127.0.0.1:${port}`,
      apiKey: "rk_test",
      firstPauseMs: 1,
      timeoutMs: 1000,
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const write = () =>
    reckoner.post("/v1/test-clocks/{id}/advance", { params: { path: { id: "c" } }, body: { to: "x" } });
  const keys = () => seen.map((headers) => headers["idempotency-key"]);

  test.each([
    { why: "the connection is cut", behave: (_respond: unknown, cut: () => void) => cut() },
    {
      why: "the server fails",
      behave: (respond: (status: number, body: object) => void) => respond(500, {}),
    },
    {
      why: "the server is away",
      behave: (respond: (status: number, body: object) => void) => respond(503, {}),
    },
    { why: "no answer comes in time", behave: () => {} },
    {
      why: "there is too much at once",
      behave: (respond: (status: number, body: object, headers: Record<string, string>) => void) =>
        respond(429, {}, { "retry-after": "0" }),
    },
    {
      why: "an earlier attempt is still at work",
      behave: (respond: (status: number, body: object, headers: Record<string, string>) => void) =>
        respond(409, { code: "idempotency_in_progress" }, { "retry-after": "0" }),
    },
  ])("sends a write again when $why, under the same key", async ({ behave }) => {
    behaviours = [behave, behave];
    expect(await write()).toEqual({ received: true });
    expect(keys()).toHaveLength(3);
    expect(new Set(keys()).size).toBe(1);
    expect(keys()[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    { status: 400, code: "request_invalid" },
    { status: 409, code: "customer_exists" },
    { status: 422, code: "meter_in_use" },
  ])("does not repeat what was refused with $status $code", async ({ status, code }) => {
    behaviours = [(respond) => respond(status, { code, detail: "no" })];
    await expect(write()).rejects.toMatchObject({ status, code });
    expect(seen).toHaveLength(1);
  });

  test("gives up after four attempts, with what it was told last", async () => {
    behaviours = Array(5).fill((respond: (status: number, body: object) => void) =>
      respond(503, { code: "unavailable", detail: "later" }),
    );
    await expect(write()).rejects.toMatchObject({ status: 503, code: "unavailable", message: "later" });
    expect(seen).toHaveLength(4);
  });

  test("says so when the answer is not one of Reckoner's", async () => {
    behaviours = [(respond) => respond(404, ["not", "a", "problem"])];
    await expect(write()).rejects.toMatchObject({ status: 404, code: "unexpected_answer" });
  });

  test("stops at once when the caller gives up", async () => {
    behaviours = Array(4).fill(() => {});
    const giveUp = new AbortController();
    const answer = reckoner.get("/v1/catalog", { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(new Error("enough")), 20);
    await expect(answer).rejects.toThrow(/enough/);
    expect(seen.length).toBeLessThanOrEqual(1);
  });
});
