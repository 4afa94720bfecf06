import { type SnapshotFeed, validMs } from "./snapshot-feed.ts";

/** While nothing happens a line says so often that everything is still right. */
export const beatMs = 2_000;
const renewMs = validMs / 3;
/** Then a stream ends and is opened anew, by a key that is looked at again. */
const streamMsMax = 15 * 60_000;

/**
 * Server-sent events about one customer: a `snapshot` when what may be used has changed, a `renewal` while it has not, and beats, which
 * stop while what is committed cannot be seen here. @param known the digest of what the reader has already
 */
export async function* snapshotEvents(
  feed: SnapshotFeed,
  customerId: string,
  known: string | undefined,
): AsyncGenerator<string> {
  const watch = feed.watch(customerId);
  const endsAt = performance.now() + streamMsMax;
  let told = known;
  let toldAt = Number.NEGATIVE_INFINITY;
  try {
    while (!feed.isClosed && performance.now() < endsAt) {
      // While the database is away the reader hears nothing, and knows by that.
      const current = await feed.current(customerId).catch(() => undefined);
      if (current !== undefined && feed.isCurrent) {
        const isNews = current.digest !== told;
        if (isNews || performance.now() - toldAt >= renewMs) {
          const [event, text] = isNews ? ["snapshot", current.signed()] : ["renewal", current.renewal()];
          yield `id: ${current.digest}\nevent: ${event}\ndata: ${text}\n\n`;
          told = current.digest;
          toldAt = performance.now();
        } else {
          yield ": as before\n\n";
        }
      }
      const rightForMs = (current?.rightUntilMs ?? Number.POSITIVE_INFINITY) - performance.now();
      await watch.changed(current === undefined ? retryMs : Math.max(0, Math.min(beatMs, rightForMs)));
    }
  } finally {
    watch.close();
  }
}

const retryMs = 250;
