import { once } from "node:events";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FastifyReply } from "fastify";
import { type Database, inSnapshot, type Tx } from "../db/database.ts";
import { RequestRefusedError } from "./refusals.ts";

/** How many files may be on their way at once: each holds a connection for as long as its reader takes. */
const filesMax = 4;

export interface StreamedFile {
  readonly contentType: string;
  /** Without anything that would have to be quoted. */
  readonly name: string;
  /** The file's text, as it is read in the transaction. */
  readonly pieces: (tx: Tx) => AsyncIterable<string>;
}

export type FileStreams = (reply: FastifyReply, file: StreamedFile) => Promise<FastifyReply>;

/**
 * Answers with files that are too large to be made at once: they are written while they are read, from one snapshot of
 * the database, the next piece only when there is room for it. Whatever ends the answer ends the transaction: the last
 * piece, a reader who goes away, or one who takes nothing for as long as a transaction may be idle.
 */
export function fileStreams(db: Database): FileStreams {
  let open = 0;
  /**
   * @throws RequestRefusedError when as many as may be are being read already; and whatever fails before the first piece,
   * so that it is answered as a problem. What fails later breaks the answer off.
   */
  return async (reply, { contentType, name, pieces }) => {
    if (open >= filesMax) {
      reply.header("retry-after", "5");
      const message = `${filesMax} files are being read at this moment: ask for this one again in a few seconds`;
      throw new RequestRefusedError("too_many_requests", message);
    }
    open += 1;
    const file = new PassThrough();
    inSnapshot(db, (tx) => pipeline(pieces(tx), file))
      .catch((error: Error) => file.destroy(error))
      .finally(() => {
        open -= 1;
      });
    await once(file, "readable");
    return reply.type(contentType).header("content-disposition", `attachment; filename="${name}"`).send(file);
  };
}
