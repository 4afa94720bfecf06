import type { Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { RequestRefusedError } from "../refusals.ts";

export interface BodyReader {
  /** The value of Content-Encoding. */
  readonly encoding: string | undefined;
  readonly bytesMax: number;
  /** Told how many bytes the body has, as they come. What it throws ends the reading. */
  readonly grow: (bytes: number) => void;
  /** Gets the body piece by piece, decompressed. What it throws ends the reading. */
  readonly take: (piece: Buffer) => void;
}

const pieces = { chunkSize: 65_536 };
const decompressors: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(pieces),
  "x-gzip": () => createGunzip(pieces),
  deflate: () => createInflate(pieces),
  br: () => createBrotliDecompress(pieces),
  zstd: () => createZstdDecompress(pieces),
};

/**
 * Reads a body to its end. One that is too large is given up where it becomes so, a compressed one while it is being
 * decompressed: its rest is neither decompressed nor kept.
 * @throws RequestRefusedError
 */
export function readBody(source: Readable, { encoding, bytesMax, grow, take }: BodyReader): Promise<void> {
  const decompressor = decompressorFor(encoding);
  const body = decompressor === undefined ? source : source.pipe(decompressor);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let bytes = 0;
  const onData = (piece: Buffer) => {
    bytes += piece.length;
    try {
      if (bytes > bytesMax) throw bodyTooLarge(bytesMax);
      grow(bytes);
      take(piece);
    } catch (error) {
      giveUp(error);
    }
  };
  const giveUp = (error: unknown) => {
    body.off("data", onData);
    if (decompressor !== undefined) {
      source.unpipe(decompressor);
      decompressor.destroy();
    }
    source.resume(); // an answer reaches only who has said all he had to say
    reject(error);
  };
  body.on("data", onData);
  body.once("end", resolve);
  const breakOff = () => {
    if (!source.readableEnded) giveUp(new RequestRefusedError("body_incomplete", "the body broke off"));
  };
  source.once("error", breakOff);
  source.once("close", breakOff);
  if (source.destroyed) breakOff(); // the sender has gone before anybody listened
  decompressor?.once("error", () =>
    giveUp(
      new RequestRefusedError(
        "encoding_malformed",
        `the body is not what Content-Encoding says: ${encoding}`,
      ),
    ),
  );
  return promise;
}

export const bodyTooLarge = (bytesMax: number) =>
  new RequestRefusedError(
    "body_too_large",
    `a request has at most ${bytesMax} bytes, counted when they are decompressed: send less at once`,
  );

function decompressorFor(encoding = "identity"): Transform | undefined {
  const name = encoding.trim().toLowerCase();
  if (name === "identity" || name === "") return undefined;
  const create = Object.hasOwn(decompressors, name) ? decompressors[name] : undefined;
  if (create === undefined) {
    const known = Object.keys(decompressors).join(", ");
    throw new RequestRefusedError("encoding_unsupported", `Content-Encoding is one of ${known}, or left out`);
  }
  return create();
}
