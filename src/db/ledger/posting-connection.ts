import postgres from "postgres";
import { isConnectionLost } from "../lost-connection.ts";
import { batchText, type PostedRow } from "./ledger.ts";

/** A connection that posts batches, one at a time. */
export interface PostingConnection {
  /**
   * Posts entries, as ledger.entryText makes them, in a transaction of their own. Settles when it is durable.
   * After an error of which {@link isConnectionLost} is true nobody knows whether they were posted.
   */
  post(entries: readonly string[]): Promise<PostedRow[]>;
  close(): Promise<void>;
}

export interface PostingConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  /** After so long without an answer a batch counts as lost. */
  readonly timeLimitMs: number;
}

/**
 * Connects when it is used first, and anew after a loss. The driver's own pool is not trusted with that: when its
 * connections are cut it may never answer what was sent behind another query, or leave a connection unusable for good.
 */
export function openPostingConnection(options: PostingConnectionOptions): PostingConnection {
  let client = connect(options);
  const replace = (lost: typeof client) => {
    client = connect(options);
    lost.end({ timeout: 0 }).catch(() => {});
  };
  return {
    async post(entries) {
      const used = client;
      try {
        return await answerWithin(options.timeLimitMs, send(used, batchText(entries)));
      } catch (error) {
        if (isConnectionLost(error)) replace(used);
        throw error;
      }
    },
    close: () => client.end({ timeout: 5 }),
  };
}

/** The server, too, gives a batch up: one that was given up here must not hold its locks for ever. */
const connect = ({ url, applicationName, timeLimitMs }: PostingConnectionOptions) =>
  postgres(url, {
    max: 1,
    types: { bigint: postgres.BigInt },
    fetch_types: false, // no arrays are read; and a loss during this first query would end the process
    connect_timeout: Math.ceil(timeLimitMs / 1_000),
    connection: { application_name: applicationName, statement_timeout: timeLimitMs },
    onnotice: () => {},
  });

/** One statement is one transaction. It is prepared once, which a lone caller notices. */
async function send(client: ReturnType<typeof connect>, batch: string): Promise<PostedRow[]> {
  return client<PostedRow[]>`
    select ordinal, status, entry_id from ledger.post_entries(${batch}::text::jsonb) order by ordinal`;
}

async function answerWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
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
