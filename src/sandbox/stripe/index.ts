import { once } from "node:events";
import { Instruments } from "./http/instruments.ts";
import { createHttpServer } from "./http/server.ts";
import { keepEndpoint } from "./resources/webhook-endpoints.ts";
import { Accounts } from "./state/accounts.ts";
import { WebhookOutbox } from "./webhooks/outbox.ts";

export type StripeSandboxOptions = {
  /** Loopback unless said otherwise. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where commits are written and replayed from; without it, state ends with the process. */
  readonly journalPath?: string;
  /** An endpoint that one account has from the start, signed with these secrets. */
  readonly webhook?: { readonly apiKey: string; readonly url: string; readonly secrets: readonly string[] };
  /** Waits before the second, third, … attempt of a webhook delivery, in milliseconds. */
  readonly webhookRetryDelaysMs?: readonly number[];
  readonly log?: (line: string) => void;
};

export type StripeSandbox = {
  readonly url: string;
  readonly port: number;
  /** Stops serving and delivering. Pending deliveries stay in the journal. */
  close(): Promise<void>;
};

/** Patient enough for a receiver that restarts, quick enough to watch. */
const retryDelaysMs = [500, 2_000, 10_000, 30_000, 60_000, 300_000];

/** Starts the Stripe stand-in: one process, state in memory, an account for each test key it meets. */
export async function startStripeSandbox(options: StripeSandboxOptions): Promise<StripeSandbox> {
  const { host = "127.0.0.1", port, journalPath, webhook, log = () => {} } = options;
  const accounts = new Accounts(journalPath);
  if (webhook) {
    const { apiKey, url, secrets } = webhook;
    accounts.transact(accounts.ofKey(apiKey), (tx) => keepEndpoint(tx, url, secrets));
  }
  const instruments = new Instruments(log);
  const outbox = new WebhookOutbox(accounts, instruments, options.webhookRetryDelaysMs ?? retryDelaysMs);
  const server = createHttpServer(accounts, instruments);
  server.listen(port, host);
  await once(server, "listening");
  outbox.resume();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the stand-in listens on no port");
  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    async close() {
      outbox.close();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      accounts.close();
    },
  };
}
