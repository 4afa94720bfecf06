import type { Database } from "../../src/db/database.ts";

/** Who asks, and under which key, is written down on purpose. */
const schemasLeftOut = ["access", "drizzle", "information_schema", "pg_catalog", "pg_toast"];

/** For every table of the system how many rows it has and a digest of what is in them, to see that nothing changed. */
export async function contentsOf({ sql }: Database): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname <> all (${schemasLeftOut})
      and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')
    order by 1`;
  const contents: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await sql.unsafe(
      `select count(*)::text || ' rows, ' || coalesce(md5(string_agg(content, '' order by content)), '') as content
       from (select row::text as content from ${name} as row) as every`,
    );
    contents[name] = row?.content;
  }
  return contents;
}
