import { pino } from "pino";
import { Registry } from "prom-client";
import { buildApi } from "./build-api.ts";
import type { ApiDependencies } from "./dependencies.ts";

/** The OpenAPI document as text, as it is committed. It describes routes, and needs none of the parts that act. */
export async function openApiText(): Promise<string> {
  const silent = { logger: pino({ level: "silent" }), metrics: new Registry(), readinessChecks: [] };
  const api = await buildApi(silent as Partial<ApiDependencies> as ApiDependencies);
  const document = api.swagger();
  await api.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}
