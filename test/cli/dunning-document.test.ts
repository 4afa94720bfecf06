import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningApi, startApi } from "../api/support/running-api.ts";
import { reckoner } from "./reckoner-command.ts";

/** Each schedule that docs/dunning.md works out is what the calculator answers. */

const document = await readFile("docs/dunning.md", "utf8");

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const examples = [...document.matchAll(/```yaml\n(# (.*?)\n.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, question = "", what = "", answer = ""]) => ({ question, what, answer }),
);

test("there is an example for each part of a policy", () => expect(examples).toHaveLength(7));

test.each(examples)("docs/dunning.md: $what", async ({ question, answer }) => {
  const { out, err } = await reckoner(api, ["calculate", "dunning-schedule"], question);
  expect(err).toBe("");
  expect(answer).toEqual(out);
});
