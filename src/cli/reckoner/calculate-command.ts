import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Argument, type Command } from "commander";
import { projectFolder } from "../../config.ts";
import type { ReckonerClient } from "../../sdk/index.ts";
import { answerText } from "./answer-text.ts";
import { ask } from "./ask.ts";
import { CommandFailed } from "./exit-code.ts";
import { readSource } from "./source-file.ts";

type Ask = (reckoner: ReckonerClient, body: never) => Promise<object>;

/** By the last part of their path. */
const calculators: Readonly<Record<string, Ask>> = {
  price: (reckoner, body) => reckoner.post("/v1/calculate/price", { body }),
  "invoice-total": (reckoner, body) => reckoner.post("/v1/calculate/invoice-total", { body }),
  proration: (reckoner, body) => reckoner.post("/v1/calculate/proration", { body }),
  periods: (reckoner, body) => reckoner.post("/v1/calculate/periods", { body }),
  "credit-burn-down": (reckoner, body) => reckoner.post("/v1/calculate/credit-burn-down", { body }),
  aggregation: (reckoner, body) => reckoner.post("/v1/calculate/aggregation", { body }),
  "dunning-schedule": (reckoner, body) => reckoner.post("/v1/calculate/dunning-schedule", { body }),
  money: (reckoner, body) => reckoner.post("/v1/calculate/money", { body }),
};

/** `reckoner calculate …`: the domain's own arithmetic, storing nothing. */
export function addCalculateCommand(program: Command): void {
  program
    .command("calculate")
    .description("ask a calculator; nothing is stored")
    .addArgument(new Argument("<calculator>").choices(Object.keys(calculators)))
    .argument("[file]", "the question in YAML or JSON", "-")
    .option("--json", "for programs")
    .option("--example", "print a question to begin with")
    .action(calculate);
}

async function calculate(
  name: string,
  path: string,
  { json, example }: { json?: true; example?: true },
): Promise<void> {
  if (example) {
    process.stdout.write(
      await readFile(join(projectFolder, "examples/calculations", `${name}.yaml`), "utf8"),
    );
    return;
  }
  if (path === "-" && process.stdin.isTTY) {
    throw new CommandFailed(
      `name a file with the question, or begin with: reckoner calculate ${name} --example`,
    );
  }
  const source = await readSource(path);
  const answer = await ask(
    (reckoner) => calculators[name]?.(reckoner, source.value as never) ?? Promise.reject(new TypeError(name)),
    source,
  );
  console.log(json ? JSON.stringify(answer, null, 2) : answerText(answer));
}
