import { AsyncLocalStorage } from "node:async_hooks";
import { sql } from "drizzle-orm";
import type postgres from "postgres";
import type { Tx } from "./database.ts";

/** What the trail says of a request beside what it changed; names as the database reads them. */
export interface AuditedRequest {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly rights: readonly string[];
  readonly operation: string;
  readonly resource: string;
  readonly verb: string;
  readonly path: string;
  readonly customer: string | null;
  readonly reason: string | null;
  /** Without secrets. */
  readonly input: unknown;
  readonly request: string;
}

const requests = new AsyncLocalStorage<AuditedRequest>();

/** Does something for a request: every row that is changed meanwhile is in the trail, in the commit of the change. */
export function forRequest<T>(request: AuditedRequest, work: () => T): T {
  return requests.run(request, work);
}

/** Does something besides, of which the trail has nothing to tell: for its database it is of no request. */
export function besidesRequest<T>(work: () => Promise<T>): Promise<T> {
  return requests.exit(work);
}

/** Writes the row of a request that no row of ours tells of, because a workflow did what was asked for. */
export async function recordAudit(tx: Tx, request: AuditedRequest, answer: unknown): Promise<void> {
  const said = [JSON.stringify(request), JSON.stringify(answer ?? null)];
  await besidesRequest(async () => {
    await tx.execute(sql`select access.record_audit(${said[0]}::jsonb, null, ${said[1]}::jsonb)`);
  });
}

type Client = postgres.Sql<{ bigint: bigint }>;
type Begin = (work: (sql: postgres.TransactionSql) => unknown) => Promise<unknown>;

/** What Drizzle makes of a select, which begins with a column: whatever writes begins otherwise, with a function or another word. */
const reads = /^select (distinct )?"/;

/**
 * A client whose transactions say for which request they are; a statement by itself becomes one of them, at the price of three
 * more, unless it only reads.
 */
export function sayingForWhom(client: Client): Client {
  const begin: Begin = (work) => {
    const request = requests.getStore();
    if (request === undefined) return client.begin(work);
    return client.begin(async (transaction) => {
      await transaction.unsafe("select set_config('reckoner.audit', $1, true)", [JSON.stringify(request)]);
      return await work(transaction);
    });
  };
  const unsafe = (...[text, parameters, options]: Parameters<Client["unsafe"]>) => {
    if (requests.getStore() === undefined || reads.test(text))
      return client.unsafe(text, parameters, options);
    return {
      // biome-ignore lint/suspicious/noThenProperty: it stands for the driver's query, which is sent when it is waited for
      then: (fulfilled?: (result: unknown) => unknown, rejected?: (error: unknown) => unknown) =>
        begin((transaction) => transaction.unsafe(text, parameters as never, options)).then(
          fulfilled,
          rejected,
        ),
      values: () => begin((transaction) => transaction.unsafe(text, parameters as never, options).values()),
    };
  };
  return new Proxy(client, {
    get(target, name) {
      if (name === "begin") return begin;
      return name === "unsafe" ? unsafe : Reflect.get(target, name);
    },
  });
}
