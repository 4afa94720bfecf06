import { Consumer } from "@platformatic/kafka";
import postgres from "postgres";
import { answerParent, optionsGiven } from "../ingest/messages.ts";
import type { ReadAnswer, ReaderOptions, ReadQuestion } from "./reader-process.ts";

/** What anybody would write first: consume, parse, insert into one table with a unique key, over one connection. */
const { brokers, databaseUrl } = optionsGiven<ReaderOptions>();
const sql = postgres(databaseUrl, { max: 1 });

async function read({ topic, events }: ReadQuestion): Promise<ReadAnswer> {
  const startedAt = performance.now();
  const consumer = new Consumer({
    clientId: "bare",
    groupId: `bare-${topic}`,
    bootstrapBrokers: [brokers],
    maxBytes: 4 * 1024 * 1024,
    maxWaitTime: 500,
  });
  const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: 1_000 });
  let accepted = 0;
  let read = 0;
  for await (const { value } of stream) {
    const parsed = JSON.parse(value.toString()) as unknown[];
    const inserted = await sql`
      insert into bare.event (source, id, customer, type, time, data)
      select source, id, customer, type, time, data from json_to_recordset(${JSON.stringify(parsed)}::text::json)
        as e (source text, id text, customer text, type text, time timestamptz, data jsonb)
      on conflict do nothing`;
    accepted += inserted.count;
    read += parsed.length;
    if (read >= events) break;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await consumer.close(true);
  return { accepted, seconds };
}

answerParent({}, { answer: (question: ReadQuestion) => read(question), end: () => sql.end() });
