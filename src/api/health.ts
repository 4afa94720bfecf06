import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { sql } from "../db/database.ts";
import type { ApiInstance } from "./api-instance.ts";
import type { ApiDependencies, ReadinessCheck } from "./dependencies.ts";

const checkMsMax = 2_000;

const readinessSchema = z
  .object({
    ready: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
  })
  .meta({ id: "Readiness" });

/** For the platform that runs this process: is it alive, should it get requests, how does it do. */
export function healthRoutes(
  api: ApiInstance,
  { db, logger, metrics, readinessChecks }: ApiDependencies,
): void {
  const checks: readonly ReadinessCheck[] = [
    { name: "database", check: async () => void (await db.orm.execute(sql`select 1`)) },
    ...readinessChecks,
  ];
  const summary = "Is this process alive?";
  const alive = { 200: z.object({ ok: z.literal(true) }) };
  api.get("/healthz", { schema: { tags: ["Operation"], summary, response: alive } }, () => ({
    ok: true as const,
  }));
  api.get(
    "/readyz",
    {
      schema: {
        tags: ["Operation"],
        summary: "Does all that a request needs work?",
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    async (_request, reply) => {
      const results = await Promise.all(checks.map((check) => resultOf(check, logger)));
      const ready = results.every(({ ok }) => ok);
      return reply.code(ready ? 200 : 503).send({ ready, checks: results });
    },
  );
  api.get(
    "/metrics",
    {
      schema: {
        tags: ["Operation"],
        summary: "Metrics in the format of Prometheus",
        response: metricsAnswer,
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}

const metricsAnswer = { 200: { content: { "text/plain": { schema: z.string() } } } };

/** A part that hangs is not ready. The reason is for the log, not for whoever asks. */
async function resultOf({ name, check }: ReadinessCheck, logger: ApiDependencies["logger"]) {
  const patience = new AbortController();
  const tooLong = delay(checkMsMax, undefined, { signal: patience.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${checkMsMax} ms`);
  });
  try {
    await Promise.race([check(), tooLong]);
    return { name, ok: true };
  } catch (err) {
    logger.warn({ err, check: name }, "not ready");
    return { name, ok: false };
  } finally {
    tooLong.catch(() => {});
    patience.abort();
  }
}
