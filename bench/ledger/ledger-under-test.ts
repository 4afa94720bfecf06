import postgres from "postgres";
import { batchText, entryText } from "../../src/db/ledger/ledger.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { type PreparedCall, type RateRun, sendCalls } from "./calls.ts";
import { createLimit, isLimit, type Limit, limitCalls, limitStatement } from "./limit.ts";
import { type BenchServer, startServer } from "./server.ts";
import { type EntryStream, entryStream, type Workload } from "./workload.ts";

export interface DirectSeries {
  /** What is posted, or what limit.ts does instead. */
  readonly work: Workload | Limit;
  /** Entries a call. */
  readonly batch: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface LedgerUnderTest {
  readonly server: BenchServer;
  readonly stream: EntryStream;
  /** A pool of exactly so many connections, the same one each time: what its backends have learned, they know. */
  pool(connections: number): postgres.Sql;
  /** Sends prepared calls of the posting function: the ledger without its client. */
  sendDirectly(series: DirectSeries): Promise<RateRun>;
  /** Says that so many entries are in the ledger, by the answers that somebody got. */
  acknowledge(entries: number): void;
  readonly acknowledged: () => number;
  stop(): Promise<void>;
}

/** The posting function by itself; of its answer only a count is sent back. */
const postStatement = `
  select count(*) filter (where status = 'created') as created from ledger.post_entries($1::text::jsonb)`;

/** Prepared for the first run, entries a second; later runs go by the one before. */
const rateExpected = (batch: number) => (batch === 1 ? 12_000 : batch < 100 ? 25_000 : 50_000);
const reserve = 1.5;
const openingBatch = 1_000;

/** Starts a server whose ledger has the accounts of all customers, with the bare schema beside it. */
export async function openLedgerUnderTest(customers: number, note: Note): Promise<LedgerUnderTest> {
  const server = await startServer(note);
  const stream = entryStream(customers);
  const pools = new Map<number, postgres.Sql>();
  const pool = (connections: number) => {
    const open = pools.get(connections) ?? postgres(server.appUrl, { max: connections, onnotice: () => {} });
    pools.set(connections, open);
    return open;
  };
  const stop = async () => {
    await Promise.all([...pools.values()].map((client) => client.end({ timeout: 5 })));
    await server.stop();
  };
  try {
    note("the bare schema");
    await createLimit(server.ownerUrl, 2 * customers);
    const ledger = ledgerOn({ server, stream, pool, customers, stop });
    await openAccounts(ledger, customers, note);
    return ledger;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts extends Pick<LedgerUnderTest, "server" | "stream" | "pool" | "stop"> {
  readonly customers: number;
}

function ledgerOn({ server, stream, pool, customers, stop }: Parts): LedgerUnderTest {
  const limitCall = limitCalls(2 * customers);
  const rates = new Map<string, number>();
  let acknowledged = 0;
  const acknowledge = (entries: number) => {
    acknowledged += entries;
  };
  const callOf = ({ work, batch }: DirectSeries): PreparedCall =>
    isLimit(work) ? limitCall(batch) : preparedCall(Array.from({ length: batch }, () => stream.next(work)));

  return {
    server,
    stream,
    pool,
    acknowledge,
    acknowledged: () => acknowledged,
    stop,
    async sendDirectly(series) {
      const { work, batch, connections, seconds } = series;
      const rateKey = `${work}, ${batch}`;
      const entries = seconds * reserve * (rates.get(rateKey) ?? rateExpected(batch));
      const calls = Array.from({ length: Math.ceil(entries / batch) }, () => callOf(series));
      const statement = isLimit(work) ? limitStatement(work, batch) : postStatement;
      const client = { sql: pool(connections), serverPid: server.pid };
      const run = await sendCalls(client, { statement, calls, connections, seconds });
      rates.set(rateKey, run.perSecond);
      if (!isLimit(work)) acknowledge(run.entries);
      return run;
    },
  };
}

const preparedCall = (drafts: Parameters<typeof entryText>[0][]): PreparedCall => ({
  entries: drafts.length,
  parameters: [batchText(drafts.map((draft) => entryText(draft, "benchmark")))],
});

/** Statistics come early: with those of an empty ledger, the first batches would be planned as if it stayed empty. */
async function openAccounts(ledger: LedgerUnderTest, customers: number, note: Note): Promise<void> {
  const owner = postgres(ledger.server.ownerUrl, { max: 1, onnotice: () => {} });
  try {
    for (let opened = 0; opened < customers; opened += openingBatch) {
      const count = Math.min(openingBatch, customers - opened);
      const call = preparedCall(
        Array.from({ length: count }, (_, index) => ledger.stream.opening(opened + index)),
      );
      await sendCalls(
        { sql: ledger.pool(1), serverPid: ledger.server.pid },
        { statement: postStatement, calls: [call], connections: 1, seconds: Number.POSITIVE_INFINITY },
      );
      ledger.acknowledge(call.entries);
      if (opened % 20_000 === 0) {
        note(`opening accounts, ${opened} of ${customers} customers`);
        await owner`analyze`;
      }
    }
    await owner`vacuum (analyze)`;
  } finally {
    await owner.end();
  }
}
