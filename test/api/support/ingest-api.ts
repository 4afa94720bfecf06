import { Agent, type IncomingHttpHeaders, request } from "node:http";
import postgres from "postgres";
import { addCustomer, expectInvariants, publishMeters } from "../../db/usage-fixture.ts";
import { type RunningApi, startApi } from "./running-api.ts";

export type IngestApi = RunningApi & {
  /** Sends a body as it is; a value is sent as JSON. */
  post(body: BodyInit | object, headers?: Record<string, string>, query?: string): Promise<Response>;
  get(path: string): Promise<Response>;
  /** Holds up every batch of usage events while some work is done. */
  whileHeldUp<Result>(work: () => Promise<Result>): Promise<Result>;
  /** How many events of a source were accepted, as the database says; each was counted in every window it belongs to. */
  acceptedOf(source: string): Promise<number>;
};

/** The API with the meters of the usage fixture and the customer acme. */
export async function startIngestApi(...options: Parameters<typeof startApi>): Promise<IngestApi> {
  const api = await startApi(...options);
  await publishMeters(api.db);
  await addCustomer(api.db, "acme");
  const authorization = `Bearer ${api.adminKey}`;
  return {
    ...api,
    post: (body, headers = {}, query = "") =>
      fetch(`${api.url}/v1/events${query}`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json", ...headers },
        body: isBody(body) ? body : JSON.stringify(body),
      }),
    get: (path) => fetch(api.url + path, { headers: { authorization } }),
    whileHeldUp: (work) => whileHeldUp(api.ownerUrl, work),
    async acceptedOf(source) {
      await expectInvariants(api.db);
      const [row] = await api.db.sql<[{ events: bigint }]>`
        select count(*) as events from usage.event where source = ${source}`;
      return Number(row.events);
    },
  };
}

const isBody = (body: BodyInit | object): body is BodyInit =>
  typeof body === "string" || body instanceof Uint8Array;

/** As a publication of meters does. */
async function whileHeldUp<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  const client = postgres(url, { max: 1 });
  try {
    const { result } = await client.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`;
      return { result: await work() };
    });
    return result;
  } finally {
    await client.end();
  }
}

/** A request of ten tokens by acme, as the API takes it. */
export const wireEvent = (over: object = {}) => ({
  id: "e",
  source: "gateway",
  customer: "acme",
  type: "request",
  time: "2026-02-15T10:30:00Z",
  data: { model: "large", class: "input", tokens: 10 },
  ...over,
});

export interface BatchAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly invalid: number;
  readonly quarantined: number;
  readonly results: readonly {
    readonly index: number;
    readonly id?: string;
    readonly status: string;
    readonly code?: string;
    readonly field?: string;
    readonly detail?: string;
  }[];
}

export const answerOf = async (response: Response): Promise<BatchAnswer> =>
  (await response.json()) as BatchAnswer;

/** The codes of the results, or their statuses, in order. */
export const outcomesOf = async (response: Response): Promise<string[]> =>
  (await answerOf(response)).results.map(({ status, code }) => code ?? status);

/** A request whose body is written in pieces, and which may be broken off. */
export interface OpenRequest {
  write(piece: string | Uint8Array): void;
  /** The answer, which may come before the body has ended. */
  readonly answer: Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>;
  end(): void;
  breakOff(): void;
}

export function openRequest(
  { url, adminKey }: RunningApi,
  headers: Record<string, string> = {},
): OpenRequest {
  const answer = Promise.withResolvers<Awaited<OpenRequest["answer"]>>();
  answer.promise.catch(() => {}); // nobody waits for the answer to what was broken off
  const open = request(`${url}/v1/events`, {
    method: "POST",
    agent: new Agent(),
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json", ...headers },
  });
  open.on("error", answer.reject).on("response", async (response) => {
    const pieces = await response.toArray().catch(() => []);
    const text = Buffer.concat(pieces).toString();
    answer.resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
  });
  open.flushHeaders();
  return {
    write: (piece) => void open.write(piece),
    answer: answer.promise,
    end: () => void open.end(),
    breakOff: () => void open.destroy(),
  };
}
