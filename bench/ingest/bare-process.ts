import Fastify from "fastify";
import postgres from "postgres";
import { answerParent, optionsGiven } from "./messages.ts";

/**
 * What this machine can do at most over HTTP: a handler that parses the body and does nothing (`parse`), and one that
 * inserts the batch into one table with a unique key (`insert`), with no rule, no meter and no window.
 */
export interface BareProcessOptions {
  readonly work: "parse" | "insert";
  readonly databaseUrl: string;
  readonly connections: number;
}

export interface BareReady {
  readonly url: string;
}

async function serve({ work, databaseUrl, connections }: BareProcessOptions): Promise<void> {
  const sql = postgres(databaseUrl, { max: connections });
  const api = Fastify({ bodyLimit: 10 * 1024 * 1024 });
  api.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
  api.post("/events", async ({ body }) => {
    if (work === "parse") return { accepted: (JSON.parse(String(body)) as unknown[]).length };
    const events = JSON.parse(String(body)) as unknown[];
    const inserted = await sql`
      insert into bare.event (source, id, customer, type, time, data)
      select source, id, customer, type, time, data from json_to_recordset(${JSON.stringify(events)}::text::json)
        as e (source text, id text, customer text, type text, time timestamptz, data jsonb)
      on conflict do nothing`;
    return { accepted: inserted.count };
  });
  const url = await api.listen({ host: "127.0.0.1", port: 0 });
  answerParent({ url } satisfies BareReady, {
    async end() {
      await api.close();
      await sql.end();
    },
  });
}

await serve(optionsGiven());
