import createClient, { type MaybeOptionalInit } from "openapi-fetch";
import { errorOf } from "./errors.ts";
import { fetchWithRetries, type RetryOptions } from "./retrying-fetch.ts";
import type { components, paths } from "./schema.ts";

export { type CatalogDefinition, defineCatalog } from "./catalog.ts";
export { type CheckedFeature, checkFeature, type FeatureQuestion } from "./entitlements.ts";
export { ReckonerApiError } from "./errors.ts";
export {
  type Notice,
  NoticeNotVerifiedError,
  type NoticeVerification,
  verifyNotice,
} from "./notices.ts";

/** Shapes of requests and answers by name, for example `Schemas["Invoice"]`. */
export type Schemas = components["schemas"];

/** The Idempotency-Key may be left out: the client makes one for each call and keeps it on retries. */
type WithOptionalKey<Operation> = Operation extends { parameters: { header: { "Idempotency-Key": string } } }
  ? Omit<Operation, "parameters"> & {
      parameters: Omit<Operation["parameters"], "header"> & { header?: { "Idempotency-Key"?: string } };
    }
  : Operation;

type Api = { [Path in keyof paths]: { [Method in keyof paths[Path]]: WithOptionalKey<paths[Path][Method]> } };

type Methods = "get" | "post" | "put" | "patch" | "delete";

type PathsWith<Method extends Methods> = {
  [Path in keyof Api]: Api[Path] extends Record<Method, { responses: object }> ? Path : never;
}[keyof Api];

/** The body of an operation's success. */
type AnswerOf<Operation> = Operation extends { responses: infer Responses }
  ? {
      [Status in keyof Responses & (200 | 201 | 202)]: Responses[Status] extends {
        content: { "application/json": infer Body };
      }
        ? Body
        : never;
    }[keyof Responses & (200 | 201 | 202)]
  : never;

/** What is sent along; it may be left out when nothing of it is required. */
type Sent<Path extends keyof Api, Method extends keyof Api[Path]> =
  undefined extends MaybeOptionalInit<Api[Path], Method>
    ? [init?: MaybeOptionalInit<Api[Path], Method>]
    : [init: MaybeOptionalInit<Api[Path], Method>];

type Call<Method extends Methods> = <Path extends PathsWith<Method>>(
  path: Path,
  ...sent: Sent<Path, Method & keyof Api[Path]>
) => Promise<AnswerOf<Api[Path][Method & keyof Api[Path]]>>;

/** What can be answered with a file, such as the journal of a month. */
type FilePaths = {
  [Path in PathsWith<"get">]: Api[Path] extends {
    get: { responses: { 200: { content: { "text/csv": unknown } } } };
  }
    ? Path
    : never;
}[PathsWith<"get">];

/** One method per HTTP method. Each gives the answer's body, and throws a ReckonerApiError for a refusal. */
export interface ReckonerClient {
  readonly get: Call<"get">;
  readonly post: Call<"post">;
  readonly put: Call<"put">;
  readonly patch: Call<"patch">;
  readonly delete: Call<"delete">;
  /**
   * A file as it comes, of any length: it has no timeout, and a reader who pauses makes it wait. What breaks it off on the
   * way fails the read, so a stream that ends is whole.
   */
  readonly stream: <Path extends FilePaths>(
    path: Path,
    ...sent: Sent<Path, "get" & keyof Api[Path]>
  ) => Promise<ReadableStream<Uint8Array>>;
}

export interface ReckonerClientOptions extends Partial<RetryOptions> {
  /** For example `http://localhost:8155`. */
  readonly baseUrl: string;
  /** Left out: the browser's own session, whose cookie goes along by itself. */
  readonly apiKey?: string | undefined;
  /** Of the browser's session, for writes: `GET /v1/session` tells it. */
  readonly csrfToken?: string | undefined;
}

/**
 * A client of Reckoner's API, typed by its OpenAPI document:
 * `await reckoner.get("/v1/customers/{id}", { params: { path: { id: "acme" } } })`.
 * What fails on the way is sent again, up to four times in all, under the same Idempotency-Key.
 */
export function createReckonerClient({
  baseUrl,
  apiKey,
  csrfToken,
  ...retries
}: ReckonerClientOptions): ReckonerClient {
  const options: RetryOptions = { attemptsMax: 4, timeoutMs: 30_000, firstPauseMs: 200, ...retries };
  const headers = {
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    ...(csrfToken === undefined ? {} : { "x-csrf-token": csrfToken }),
  };
  const client = clientWith(baseUrl, headers, options);
  const patientClient = clientWith(baseUrl, headers, { ...options, timeoutMs: null });
  const call = (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE") =>
    (async (path: never, ...init: never[]) =>
      (await (client[method] as AnyCall)(path, ...init)).data) as never;
  return {
    get: call("GET"),
    post: call("POST"),
    put: call("PUT"),
    patch: call("PATCH"),
    delete: call("DELETE"),
    stream: async (path, ...sent) => {
      const read = patientClient.GET as unknown as (path: string, init: object) => Promise<{ data: unknown }>;
      return (await read(path, { ...sent[0], parseAs: "stream" })).data as ReadableStream<Uint8Array>;
    },
  };
}

function clientWith(baseUrl: string, headers: Record<string, string>, options: RetryOptions) {
  const client = createClient<Api>({
    baseUrl,
    headers,
    fetch: (request) => fetchWithRetries(request, options),
  });
  client.use({
    onResponse: async ({ response }) => {
      if (!response.ok) throw await errorOf(response);
    },
  });
  return client;
}

type AnyCall = (path: never, ...init: never[]) => Promise<{ data?: unknown }>;

interface AnyPage<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

/**
 * Every item of a list, page by page:
 * `for await (const invoice of everyItem((page) => reckoner.get("/v1/invoices", { params: { query: page } })))`.
 */
export async function* everyItem<Item>(
  read: (page: { limit: number; cursor?: string }) => Promise<AnyPage<Item>>,
): AsyncGenerator<Item> {
  let cursor: string | null = null;
  do {
    const page: AnyPage<Item> = await read({ limit: 100, ...(cursor === null ? {} : { cursor }) });
    yield* page.data;
    cursor = page.next_cursor;
  } while (cursor !== null);
}
