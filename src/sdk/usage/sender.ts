import { type Postponement, type Verdict, verdictOn } from "./answer.ts";
import type { Batch } from "./batch.ts";
import { type ReporterClock, within } from "./clock.ts";
import type { Settings } from "./options.ts";
import type { ApiResponse, Transport } from "./transport.ts";

/** Below this, compressing saves nothing. */
const compressedFrom = 1_024;

/** Posts batches and reads the answers. It never throws: whatever happens is a verdict. */
export class Sender {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #clock: ReporterClock;
  readonly #ending = new AbortController();
  #readsGzip: boolean;

  constructor(settings: Settings, transport: Transport, clock: ReporterClock) {
    this.#settings = settings;
    this.#transport = transport;
    this.#clock = clock;
    this.#readsGzip = settings.gzip;
  }

  async send({ texts }: Batch): Promise<Verdict> {
    let apiKey: string;
    try {
      const { apiKey: ask, requestTimeoutMs } = this.#settings;
      apiKey = await within(ask(), requestTimeoutMs, this.#ending.signal);
    } catch (error) {
      return postponed("api_key_refused", `the function apiKey failed: ${messageOf(error)}`);
    }
    try {
      const response = await this.#post(`[${texts.join()}]`, apiKey);
      return verdictOn(response, texts.length, this.#clock.wallMs());
    } catch (error) {
      return postponed("api_unreachable", messageOf(error));
    }
  }

  /** Ends what is under way: nothing is known of those batches then, and nothing more is sent. */
  abort(): void {
    this.#ending.abort(new Error("the reporter is closing"));
  }

  close(): void {
    this.#transport.close();
  }

  async #post(body: string, apiKey: string): Promise<ApiResponse> {
    const isCompressed = this.#readsGzip && body.length >= compressedFrom;
    const response = await this.#attempt(body, apiKey, isCompressed);
    if (!isCompressed || !isNotUnderstood(response)) return response;
    // It may be the compression that was not understood, by the API or by something between.
    const plain = await this.#attempt(body, apiKey, false);
    if (!isNotUnderstood(plain)) this.#readsGzip = false;
    return plain;
  }

  #attempt(body: string, apiKey: string, isCompressed: boolean): Promise<ApiResponse> {
    const { url, requestTimeoutMs: timeoutMs } = this.#settings;
    return this.#transport.post({ url, apiKey, body, isCompressed, timeoutMs, signal: this.#ending.signal });
  }
}

const isNotUnderstood = ({ status }: ApiResponse) => status === 400 || status === 415;

const postponed = (code: Postponement["code"], detail: string): Postponement => ({
  kind: "later",
  code,
  detail,
  wishMs: 0,
  mayBeTheBatch: false,
});

/** With Node's fetch, why it failed is in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
