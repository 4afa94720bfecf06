import { expect, test } from "vitest";
import { allNoticeKinds, noticeKinds, retryAfterSeconds } from "../../../src/domain/notices/index.ts";
import { tableRows } from "../../support/markdown-tables.ts";
import { noticeExamples } from "./notice-examples.ts";

test("docs/notices.md lists every kind, what it is told of, and what it says", () => {
  const fieldsOf = (kind: string) => {
    const [, data] = noticeExamples.find(([each]) => each === kind) ?? [];
    return Object.keys(data ?? {}).map((field) => `\`${field}\``);
  };
  const expected = allNoticeKinds.map((kind) => {
    const { when, byEmail } = noticeKinds[kind];
    return [`\`${kind}\``, when, byEmail ? "yes" : "no", fieldsOf(kind).join(", ")];
  });
  expect(tableRows("notices.md", ["kind", "when", "e-mail", "data"])).toEqual(expected);
});

const secondsIn = { seconds: 1, minutes: 60, hours: 3_600 } as const;

test("docs/notices.md lists the retries", () => {
  const rows = tableRows("notices.md", ["attempt", "after the one before"]);
  const listed = rows.map(([attempt, pause = ""]) => {
    const [count, unit] = pause.split(" ");
    return [Number(attempt), Number(count) * secondsIn[unit as keyof typeof secondsIn]];
  });
  expect(listed).toEqual(retryAfterSeconds.map((seconds, index) => [index + 2, seconds]));
});
