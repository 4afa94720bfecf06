import { isUtf8 } from "node:buffer";
import { RequestRefusedError } from "../refusals.ts";

const newline = 0x0a;

/** Stands where a line was that is not JSON. */
export class LineMalformedError extends RequestRefusedError {
  readonly line: Buffer;

  constructor(message: string, line: Buffer) {
    super("json_malformed", message);
    this.line = line;
  }
}

/** Parses JSON line by line as it comes. A line that is not JSON becomes its refusal, and the others are what they are. */
export class JsonLines {
  readonly inputs: unknown[] = [];
  readonly #linesMax: number;
  /** Pieces of a line whose end has not come yet. */
  #begun: Buffer[] = [];
  #line = 0;

  /** @param linesMax how many lines there may be, empty ones left out */
  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  /** @throws RequestRefusedError when there are too many lines */
  take(piece: Buffer): void {
    let from = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, from)) {
      this.#end(piece.subarray(from, end));
      from = end + 1;
    }
    if (from < piece.length) this.#begun.push(piece.subarray(from));
  }

  /** The last line needs no newline. */
  end(): void {
    this.#end(Buffer.alloc(0));
  }

  #end(piece: Buffer): void {
    this.#line += 1;
    const bytes = this.#begun.length === 0 ? piece : Buffer.concat([...this.#begun, piece]);
    this.#begun = [];
    if (bytes.length === 0) return;
    const input = parsedLine(bytes, this.#line);
    if (input === undefined) return;
    if (this.inputs.length === this.#linesMax) {
      throw new RequestRefusedError(
        "body_too_large",
        `a request has at most ${this.#linesMax} events: send them in several`,
      );
    }
    this.inputs.push(input);
  }
}

/** Undefined for a line of white space. */
function parsedLine(bytes: Buffer, line: number): unknown {
  if (!isUtf8(bytes)) return new LineMalformedError(`line ${line} is not UTF-8`, bytes);
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    if (text.trim() === "") return undefined;
    return new LineMalformedError(`line ${line} is not JSON: check quotes, commas and brackets`, bytes);
  }
}
