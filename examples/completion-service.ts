import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { createUsageReporter } from "@reckoner/sdk/usage";

/**
 * A service that completes code, and reports what each completion used. `POST /completions` with `{ customer, prompt }`;
 * `GET /healthz` shows how its usage is doing. Whatever becomes of Reckoner, completions go on.
 */
const {
  RECKONER_URL = "http://127.0.0.1:8155",
  RECKONER_API_KEY = "",
  USAGE_SPOOL = "usage-spool",
} = process.env;

const log = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

const usage = createUsageReporter({
  apiUrl: RECKONER_URL,
  apiKey: RECKONER_API_KEY,
  source: "completions",
  spoolFolder: USAGE_SPOOL,
  onProblem: ({ code, reason, detail, count, event }) =>
    log({ level: "warn", code, reason, detail, count, event }),
  onRecovery: ({ code, detail }) => log({ level: "info", code, detail }),
});

const server = createServer(async (request, response) => {
  if (request.url === "/healthz") {
    const { queued, spool, dropped, lagMs, apiProblem } = usage.stats();
    response.end(JSON.stringify({ ok: true, usage: { queued, spool, dropped, lagMs, apiProblem } }));
    return;
  }
  const { customer, prompt } = (await json(request)) as { customer: string; prompt: string };
  const completion = complete(prompt);
  usage.report({
    customer,
    type: "model.request",
    data: { model: "swift", input_tokens: prompt.length, output_tokens: completion.length },
  });
  response.end(JSON.stringify({ completion }));
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () =>
  log({ level: "info", at: server.address() }),
);

process.once("SIGTERM", async () => {
  server.close();
  const { accepted, queued, spool } = await usage.close();
  log({ level: "info", closed: true, accepted, queued, spool });
});

/** A model would be asked here. */
function complete(prompt: string): string {
  return `${prompt}\n// and so on`;
}
