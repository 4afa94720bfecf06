import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { allMutants } from "./support/mutants.ts";

/**
 * Asks stripe-mock which of the nearly right requests it takes, and keeps its verdicts:
 *
 *     go install github.com/stripe/stripe-mock@v0.203.0
 *     node test/stripe/record-mutants.ts "$(go env GOPATH)/bin/stripe-mock"
 */
const [program] = process.argv.slice(2);
if (program === undefined) throw new Error("usage: node record-mutants.ts path/to/stripe-mock");
const port = await freePort();
const mock = spawn(program, ["-http-port", String(port)], { stdio: "ignore" });
const verdicts: Record<string, string> = {};
try {
  const url = `http://127.0.0.1:${port}`;
  await answering(url);
  for (const { operation, forms } of allMutants()) {
    const taken: string[] = [];
    for (const form of forms) taken.push(await verdictOn(url, operation, form));
    verdicts[operation] = taken.join("");
  }
} finally {
  mock.kill();
}
const file = join(import.meta.dirname, "golden", "stripe-mock-verdicts.json");
writeFileSync(file, `${JSON.stringify({ stripeMock: "0.203.0", verdicts }, null, 2)}\n`);
console.log(`${Object.values(verdicts).join("").length} verdicts in ${file}`);

/** 1: taken, 0: refused, ?: it broke. */
async function verdictOn(url: string, operation: string, form: string): Promise<"0" | "1" | "?"> {
  const [method = "", template = ""] = operation.split(" ");
  const path = template.replaceAll(/\{\w+\}/g, "id_1");
  const isRead = method === "GET";
  const response = await fetch(`${url}${path}${isRead && form !== "" ? `?${form}` : ""}`, {
    method,
    headers: { Authorization: "Bearer sk_test_123", "Content-Type": "application/x-www-form-urlencoded" },
    ...(isRead ? {} : { body: form }),
  });
  await response.text();
  return response.status === 200 ? "1" : response.status === 400 ? "0" : "?";
}

async function answering(url: string): Promise<void> {
  for (let left = 100; left > 0; left -= 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return;
    await pause(200);
  }
  throw new Error("stripe-mock does not answer");
}
