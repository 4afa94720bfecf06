import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
import { type StandInMutant, standInMutants } from "./support/stand-in-mutants.ts";

/**
 * Runs the tests of the stand-in against stand-ins that are wrong in one way each, and those of the engine where it relies on it:
 * each has to be noticed. `node test/stripe/stand-in-mutants.ts`, with `--only WORDS` for some of them; ends with 1 when one is not.
 */
const { values: flags } = parseArgs({ options: { only: { type: "string", default: "" } } });
const folder = join(import.meta.dirname, "../../src/sandbox/stripe");
const mutants = standInMutants.filter(({ name }) => name.includes(flags.only));
const unnoticed: string[] = [];
for (const [place, mutant] of mutants.entries()) {
  const files = [mutant.noticedBy, ...(mutant.noticedByEngine === undefined ? [] : [mutant.noticedByEngine])];
  for (const file of files) {
    const failed = await failuresOf(mutant, file);
    const said = failed > 0 ? `${failed} tests notice it` : "NOT NOTICED";
    console.log(`${place + 1}/${mutants.length} ${mutant.name}: ${file}: ${said}`);
    if (failed === 0) unnoticed.push(`${mutant.name}: ${file}`);
  }
}
if (unnoticed.length > 0) console.error(`not noticed:\n${unnoticed.join("\n")}`);
process.exitCode = unnoticed.length === 0 ? 0 : 1;

/** How many tests of a file fail against a mutant. The source stays as it is: it is changed as it is loaded, and nothing of it is kept. */
async function failuresOf(mutant: StandInMutant, file: string): Promise<number> {
  const wrong = join(folder, mutant.file);
  const plugin = {
    name: "mutant",
    enforce: "pre" as const,
    transform: (code: string, id: string) =>
      id.split("?")[0] === wrong ? code.replace(mutant.from, () => mutant.to) : undefined,
  };
  if (!readFileSync(wrong, "utf8").includes(mutant.from)) throw new Error(`${mutant.file} is not as it was`);
  const only = { watch: false, maxWorkers: 1, run: true, fsModuleCache: false };
  const vitest = await startVitest(
    "test",
    [`test/${file}`],
    { ...only, reporters: [{}] },
    { plugins: [plugin] },
  );
  const failed = vitest.state
    .getTestModules()
    .flatMap((module) => [...module.children.allTests("failed")]).length;
  await vitest.close();
  process.exitCode = 0;
  return failed;
}
