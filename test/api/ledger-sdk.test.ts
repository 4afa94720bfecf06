import { afterAll, beforeAll, expect, test } from "vitest";
import { createReckonerClient, everyItem, type ReckonerClient } from "../../src/sdk/index.ts";
import { readCsvTable } from "../support/read-csv.ts";
import { story, tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
let reckoner: ReckonerClient;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
  reckoner = createReckonerClient({ baseUrl: api.url, apiKey: api.adminKey });
});
afterAll(() => api.stop());

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("reads the ledger, each answer in its type", async () => {
  const kinds: string[] = [];
  const entries = everyItem((page) =>
    reckoner.get("/v1/ledger/entries", { params: { query: { ...page, customer: "acme" } } }),
  );
  for await (const { kind } of entries) kinds.push(kind);
  expect(kinds).toHaveLength(story.filter(({ customerId }) => customerId === "acme").length);
  const query = { month: "2026-02", currency: "usd" };
  const { data } = await reckoner.get("/v1/ledger/trial-balance", { params: { query } });
  expect(data.find(({ code }) => code === "2200")?.movements?.credit_minor).toBe("40");
  const statement = await reckoner.get("/v1/customers/{id}/statement", {
    params: { path: { id: "acme" }, query: { account: "balance" } },
  });
  expect(statement.closing_minor).toBe("40");
});

test("streams the journal, and a statement as CSV", async () => {
  const journal = await reckoner.stream("/v1/ledger/journal", { params: { query: { month: "2026-02" } } });
  expect(readCsvTable(await textOf(journal)).map(({ source_key }) => source_key)).toEqual([
    "february/1",
    "february/1",
    "balance/1",
  ]);
  const statement = await reckoner.stream("/v1/customers/{id}/statement", {
    params: { path: { id: "acme" }, query: { account: "balance", format: "csv" } },
  });
  expect(readCsvTable(await textOf(statement)).at(-1)).toMatchObject({ row: "closing", balance: "0.40" });
});

test("a file that is refused is an error like any other", async () => {
  const query = { month: "2026-13" };
  await expect(reckoner.stream("/v1/ledger/journal", { params: { query } })).rejects.toMatchObject({
    status: 400,
    code: "request_invalid",
    field: "month",
  });
});

test("closes a month, under a key of the client's own", async () => {
  const closed = await reckoner.post("/v1/ledger/periods/{month}/close", {
    params: { path: { month: "2026-01" } },
  });
  expect(closed.status).toBe("closed");
  const { data } = await reckoner.get("/v1/ledger/periods");
  expect(data.find(({ month }) => month === "2026-01")).toEqual(closed);
});
