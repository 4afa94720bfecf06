import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { loadTestConfig } from "../../../src/config.ts";
import { runCommand } from "../../../src/sandbox/local-services/child-process.ts";

const pom = join(import.meta.dirname, "kafka-broker.pom.xml");
const minutesMax = 5;

/**
 * The folder of a Kafka broker's jars. Where it is not there yet, Maven fetches them: some 45 MB, in some seconds. Needs
 * `java` (17 or newer) and `mvn` on the PATH.
 */
export async function kafkaJars(): Promise<string> {
  const version = /<version>([\d.]+)<\/version>/.exec(readFileSync(pom, "utf8"))?.[1];
  const home = join(loadTestConfig().home, "kafka");
  const folder = join(home, `jars-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(home, { recursive: true });
  const fetched = mkdtempSync(join(home, "fetching-"));
  try {
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${fetched}`];
    await runCommand("mvn", ["--batch-mode", "--quiet", "--file", pom, ...goal], {
      timeoutMs: minutesMax * 60_000,
    });
    renameSync(fetched, folder);
  } catch (error) {
    // Somebody else, who has fetched them at the same time, may have been faster.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  return folder;
}
