import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectFolder } from "../../src/config.ts";
import type { Scene } from "../workflows/support/scene.ts";
import { sharedScene } from "../workflows/support/shared-scene.ts";

/** What docs/operating.md and docs/changing-a-workflow.md tell operators to ask and to look at is there. */

const pages = ["docs/operating.md", "docs/changing-a-workflow.md"];
const textOf = (page: string) => readFileSync(join(projectFolder, page), "utf8");

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());

const saved = [
  ...textOf("docs/operating.md").matchAll(/^\| ([^|]+) \| `([^`]*(?:=|IS NOT NULL)[^`]*)` \|$/gm),
];
const asked = [...textOf("docs/changing-a-workflow.md").matchAll(/--query '([^']+)'/g)];

describe("the server takes the query of", () => {
  test.each([
    ...saved.map(([, view = "", query = ""]) => ({ view, query })),
    ...asked.map(([, query = ""]) => ({ view: "a patch that is not over", query })),
  ])("$view", async ({ query }) => {
    expect((await scene.client.workflow.count(query)).count).toBeGreaterThanOrEqual(0);
  });

  test("all of them", () => {
    expect([saved.length, asked.length]).toEqual([7, 1]);
  });
});

test.each(pages)("%s links to what exists", (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)#]+)\)/g)].map(([, path = ""]) => path);
  expect(links.length).toBeGreaterThan(2);
  const folder = join(projectFolder, dirname(page));
  expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
});
