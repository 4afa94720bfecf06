import type postgres from "postgres";

type Client = postgres.Sql<{ bigint: bigint }>;
type Begin = (work: (sql: postgres.TransactionSql) => unknown) => Promise<unknown>;

/**
 * Statements with more parameters are lists of rows, of whatever length: kept prepared, there would be ever more of them.
 * Those with fewer are as many as are written down, or a few of each.
 */
const parametersMax = 40;

/**
 * A client that keeps what Drizzle sends prepared, for as long as the connection lives. Otherwise each statement is parsed
 * and planned anew, and takes two round trips, the first one to be told the types of its parameters.
 */
export function keepingPrepared(client: Client): Client {
  const begin: Begin = (work) => client.begin((sql) => work(preparing(sql)));
  const prepared = preparing(client);
  return new Proxy(prepared, {
    get: (target, name) => (name === "begin" ? begin : Reflect.get(target, name)),
  });
}

function preparing<Sql extends Pick<Client, "unsafe">>(sql: Sql): Sql {
  const unsafe: Client["unsafe"] = (text, parameters = [], options = {}) =>
    sql.unsafe(text, parameters, { ...options, prepare: parameters.length <= parametersMax });
  return new Proxy(sql, {
    get: (target, name) => (name === "unsafe" ? unsafe : Reflect.get(target, name)),
  });
}
