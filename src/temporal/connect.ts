import { Client, Connection } from "@temporalio/client";
import { correlationOfCalls } from "./correlation.ts";
import { dataConverterOf } from "./data-converter.ts";
import type { PayloadKey } from "./payload-codec.ts";

export interface TemporalTarget {
  /** HOST:PORT of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey: string | undefined;
  readonly tls: boolean;
  /** The queue of workflow tasks and database activities; Stripe's calls have one beside it. */
  readonly taskQueue: string;
  /** The first encrypts what is said to workflows, all of them decrypt; without any it is plain. */
  readonly payloadKeys?: readonly PayloadKey[];
}

/** Connects a client; the server, Temporal Cloud or a cluster of one's own, is the address's business. */
export async function connectTemporal(target: TemporalTarget): Promise<Client> {
  const { address, namespace, apiKey, tls, payloadKeys } = target;
  const connection = await Connection.connect({
    address,
    tls,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  const interceptors = { workflow: [correlationOfCalls] };
  return new Client({ connection, namespace, interceptors, dataConverter: dataConverterOf(payloadKeys) });
}
