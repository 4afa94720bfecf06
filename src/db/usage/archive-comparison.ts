import { isDeepStrictEqual } from "node:util";
import type { AccountingMonth } from "../../domain/ledger/accounting-month.ts";
import type { Database } from "../database.ts";
import type { ArchivedFile } from "../schema/usage-archive.ts";
import { contributionSums, eventCountOf, eventPages } from "./archive-events.ts";
import type { ArchiveManifest } from "./archive-export.ts";
import { readEventFile } from "./archive-format.ts";
import { type ArchiveStore, hashOfKept, type KeptFile, UsageArchiveDamagedError } from "./archive-store.ts";

const eventsPerPage = 10_000;

/**
 * Reads back what is kept and compares it with the database, event by event and sum by sum.
 * @throws UsageArchiveDamagedError
 */
export async function requireEqual(
  db: Database,
  store: ArchiveStore,
  month: AccountingMonth,
  { files, events, contributions }: ArchiveManifest,
): Promise<void> {
  const sums = contributionSums();
  const expected = inOrder(eventPages(db, month, eventsPerPage));
  let read = 0;
  for (const { name, sha256 } of files) {
    for await (const page of readEventFile(await wholeFile(store, { name, sha256 }))) {
      for (const event of page) {
        const { value } = await expected.next();
        if (!isDeepStrictEqual(event, value))
          throw damaged(store, name, `differs at event ${event.seq} from the database`);
      }
      sums.add(page);
      read += page.length;
    }
  }
  const isWhole = (await expected.next()).done && read === events && (await eventCountOf(db, month)) === read;
  const isSame = contributions.every(({ meter, count, sum }) =>
    isDeepStrictEqual(sums.of(meter), { count, sum }),
  );
  if (!isWhole || !isSame || sums.meters().length !== contributions.length)
    throw damaged(store, month, "does not come to what the database holds: run it again");
}

async function* inOrder<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item, undefined> {
  for await (const page of pages) for (const item of page) yield { ...item };
}

/**
 * A file whose bytes are those that were written.
 * @throws UsageArchiveDamagedError
 */
export async function wholeFile(
  store: ArchiveStore,
  { name, sha256 }: Pick<ArchivedFile, "name" | "sha256">,
): Promise<KeptFile> {
  const file = await store.read(name);
  if ((await hashOfKept(file)) === sha256) return file;
  throw damaged(store, name, "has another hash than was written");
}

export const damaged = ({ location }: ArchiveStore, name: string, what: string) =>
  new UsageArchiveDamagedError(`${location}/${name} ${what}`);
