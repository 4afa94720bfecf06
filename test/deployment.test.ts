import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { projectFolder } from "../src/config.ts";

/** There is no Docker where the tests run, so the files are read and compared with what they deploy. */
const read = (path: string) => readFileSync(join(projectFolder, path), "utf8");

const packageFile = z
  .object({ scripts: z.record(z.string(), z.string()), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

describe("Dockerfile", () => {
  const lines = read("Dockerfile")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ instruction: line.split(" ")[0], words: line.split(" ").slice(1) }));
  const all = (instruction: string) => lines.filter((line) => line.instruction === instruction);

  test("builds on the Node that package.json pins", () => {
    const bases = all("FROM").map(({ words }) => words[0]);
    const stages = all("FROM").flatMap(({ words }) => words.slice(2));
    expect(bases.filter((base) => !stages.includes(base ?? ""))).toEqual([
      `node:${packageFile.dependencies.node}-slim`,
    ]);
  });

  test("the last stage has production dependencies and runs as a user without rights", () => {
    const lastStage = lines.slice(lines.findLastIndex(({ instruction }) => instruction === "FROM"));
    expect(all("RUN").map(({ words }) => words.join(" "))).toContain(
      "npm ci --omit=dev --ignore-scripts && npm run postinstall",
    );
    expect(lastStage.find(({ instruction }) => instruction === "USER")?.words).toEqual(["node"]);
    expect(lastStage.at(-1)?.instruction).toBe("CMD");
  });

  test("copies only what exists and is not ignored", () => {
    const ignored = read(".dockerignore").split("\n");
    const sources = all("COPY")
      .filter(({ words }) => !words[0]?.startsWith("--from"))
      .flatMap(({ words }) => words.slice(0, -1));
    for (const source of sources) {
      expect([source, existsSync(join(projectFolder, source))]).toEqual([source, true]);
      expect(ignored).not.toContain(source);
    }
  });

  test("neither secrets nor local data get into the image", () => {
    expect(read(".dockerignore").split("\n")).toEqual(
      expect.arrayContaining([".env", ".git", ".reckoner", "**/node_modules"]),
    );
  });
});

describe("package.json", () => {
  test.each(Object.entries(packageFile.scripts))("%s runs what exists", (_name, script) => {
    const files = [...script.matchAll(/(?:node|--config) (\S+\.ts)/g)].map(([, file = ""]) => file);
    expect(files.filter((file) => !existsSync(join(projectFolder, file)))).toEqual([]);
  });
});

describe(".ci/run", () => {
  test("is a script that the shell understands and that runs what package.json has", () => {
    execFileSync("bash", ["-n", join(projectFolder, ".ci/run")]);
    const names = [...read(".ci/run").matchAll(/npm run (?:--\S+ )?(\S+)/g)].map(([, name = ""]) => name);
    expect(names).toContain("check");
    for (const name of names) expect(packageFile.scripts).toHaveProperty(name);
  });
});
