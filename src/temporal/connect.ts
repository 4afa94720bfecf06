import { Client, Connection } from "@temporalio/client";
import { correlationOfCalls } from "./correlation.ts";

export interface TemporalTarget {
  /** HOST:PORT of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey: string | undefined;
  readonly tls: boolean;
  /** The queue of workflow tasks and database activities; Stripe's calls have one beside it. */
  readonly taskQueue: string;
}

/** Connects a client; the server, Temporal Cloud or a cluster of one's own, is the address's business. */
export async function connectTemporal({ address, namespace, apiKey, tls }: TemporalTarget): Promise<Client> {
  const connection = await Connection.connect({
    address,
    tls,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return new Client({ connection, namespace, interceptors: { workflow: [correlationOfCalls] } });
}
