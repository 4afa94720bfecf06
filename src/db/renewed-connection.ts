import postgres from "postgres";
import { listTypes } from "./list-types.ts";
import { endingWithConnection, isConnectionLost } from "./lost-connection.ts";

export type Client = postgres.Sql<{ bigint: bigint }>;

/** One connection to the database, for one piece of work at a time. */
export interface RenewedConnection {
  /**
   * Settles with the work. After an error of which {@link isConnectionLost} is true nobody knows what became of it, and
   * the next work has a new connection.
   */
  use<Result>(work: (client: Client) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface RenewedConnectionOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** After so long without an answer work counts as lost, here and on the server. */
  readonly timeLimitMs: number;
}

/**
 * Connects when it is used first, and anew after a loss. The driver's own pool is not trusted with that: when its
 * connections are cut it may never answer what was sent behind another query, or leave a connection unusable for good.
 */
export function openRenewedConnection(options: RenewedConnectionOptions): RenewedConnection {
  let client = connect(options);
  const replace = (lost: Client) => {
    client = connect(options);
    lost.end({ timeout: 0 }).catch(() => {});
  };
  return {
    async use(work) {
      const used = client;
      try {
        return await answerWithin(options.timeLimitMs, work(used));
      } catch (error) {
        if (isConnectionLost(error)) replace(used);
        throw error;
      }
    },
    close: () => client.end({ timeout: 5 }),
  };
}

/** The server, too, gives a statement up: one that was given up here must not hold its locks for ever. */
const connect = ({ url, applicationName, timeLimitMs }: RenewedConnectionOptions): Client =>
  endingWithConnection(
    postgres(url, {
      max: 1,
      types: { bigint: postgres.BigInt, ...listTypes },
      fetch_types: false,
      connect_timeout: Math.ceil(timeLimitMs / 1_000),
      connection: {
        application_name: applicationName,
        statement_timeout: timeLimitMs,
        idle_in_transaction_session_timeout: timeLimitMs,
      },
      onnotice: () => {},
    }),
  );

async function answerWithin<Result>(limitMs: number, answer: Promise<Result>): Promise<Result> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    silence.reject(Object.assign(new Error("the database does not answer"), { code: "ETIMEDOUT" }));
  }, limitMs);
  try {
    return await Promise.race([answer, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
