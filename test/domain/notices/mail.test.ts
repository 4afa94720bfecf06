import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  allNoticeKinds,
  composeNotice,
  isMailed,
  mailOf,
  type NoticeData,
  type NoticeKind,
  noticeKinds,
} from "../../../src/domain/notices/index.ts";
import { noticeExamples as rows } from "./notice-examples.ts";

const reader = { name: "Zoë <b>", timeZone: "Europe/Berlin", seller: "Sells & Co" };

const composed = (kind: NoticeKind, data: NoticeData[NoticeKind]) =>
  composeNotice(
    { id: "ntc_1", kind, sequence: 1n, occurredAt: instant("2026-03-01T00:00:00Z"), customerId: "acme" },
    data as never,
  );

describe("the mail of a notice", () => {
  test.each(rows)("%s %#: %s", (kind, data, subject) => {
    const notice = composed(kind, data);
    const mail = mailOf(notice, reader);
    expect(mail?.subject ?? null).toBe(subject);
    expect(isMailed(notice)).toBe(subject !== null);
    if (mail === null) return;
    // Nothing is left that was not there, and names stay names.
    for (const text of [mail.text, mail.html]) expect(text).not.toMatch(/undefined|null|NaN|\[object/);
    expect(mail.text).toContain("Hello Zoë <b>,");
    expect(mail.html).toContain("Hello Zoë &lt;b&gt;,");
    expect(mail.html).toContain("Sells &amp; Co");
    expect(mail.html).not.toMatch(/<(script|img|link)|url\(|style="[^"]*"[^ >]/);
  });

  test("has every kind among these examples", () => {
    const shown = new Set(rows.map(([kind]) => kind));
    expect(allNoticeKinds.filter((kind) => !shown.has(kind))).toEqual([]);
    const mailed = new Set(rows.filter(([, , subject]) => subject !== null).map(([kind]) => kind));
    expect(allNoticeKinds.filter((kind) => noticeKinds[kind].byEmail !== mailed.has(kind))).toEqual([]);
  });

  test("says when it is tried again, in its reader's hours, and where one can pay", () => {
    const [, data] = rows.find(([kind]) => kind === "invoice.payment_failed") ?? [];
    const mail = mailOf(composed("invoice.payment_failed", data as never), reader);
    expect(mail?.text).toContain("We will try again on 3 March 2026, 10:00.");
    expect(mail?.text).toContain("Pay this invoice: https://pay.example/inv");
    expect(mail?.html).toContain('href="https://pay.example/inv"');
  });

  test("has amounts as their currency has them", () => {
    const [, data] = rows.find(([kind]) => kind === "invoice.payment_recovered") ?? [];
    expect(mailOf(composed("invoice.payment_recovered", data as never), reader)?.text).toContain(
      "Paid: ¥123,450",
    );
  });
});
