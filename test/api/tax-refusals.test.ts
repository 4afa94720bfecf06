import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningApi } from "./support/running-api.ts";
import { refused, TaxApi, tax, vat } from "./support/tax-api.ts";

/** Tax from outside that is not taken: with which code, at which place, and what to do then. */
let taxes: TaxApi;
let api: RunningApi;
beforeAll(async () => {
  taxes = await TaxApi.begin();
  api = taxes.api;
});
afterAll(() => taxes.end());

describe("what is refused says what is wrong, where, and what to do", () => {
  let id: string;
  let quote: string;
  beforeAll(async () => {
    id = await taxes.ended("fern");
    ({ quote } = (await taxes.draftOf(id)).tax);
  });

  test.each<{ why: string; body: () => object; code: string; field?: string; says: string; status?: number }>(
    [
      {
        why: "another quote",
        body: () => tax("0".repeat(24), vat("1000", "190")),
        ...{
          status: 409,
          code: "tax_quote_outdated",
          field: "quote",
          says: "read /v1/draft-invoices/draft.fern",
        },
      },
      {
        why: "a quote that cannot be one",
        body: () => tax("latest", vat("1000", "190")),
        ...{
          status: 400,
          code: "request_invalid",
          field: "quote",
          says: "must be the quote of a draft, as it was read",
        },
      },
      {
        why: "another currency",
        body: () => ({ ...tax(quote, vat("1000", "190")), currency: "eur" }),
        ...{ code: "tax_line_invalid", field: "currency", says: "the invoice is in usd, not eur" },
      },
      {
        why: "no tax at all, in another currency",
        body: () => ({ ...tax(quote), currency: "eur" }),
        ...{ code: "tax_line_invalid", field: "currency", says: "the invoice is in usd, not eur" },
      },
      {
        why: "a line got lost",
        body: () => ({ ...tax(quote, vat("1000", "190")), tax_minor: "380" }),
        ...{
          code: "tax_sum_differs",
          field: "tax_minor",
          says: "the lines sum to 190 minor units, and 380 are said",
        },
      },
      {
        why: "tax on more than there is",
        body: () => tax(quote, vat("6701", "1273")),
        ...{
          code: "tax_line_invalid",
          field: "lines[0].taxable_minor",
          says: "its lines come to 0 to 6700 minor units",
        },
      },
      {
        why: "a line that is not there",
        body: () => tax(quote, vat("10", "1"), vat("10", "1", { lines: [9] })),
        ...{
          code: "tax_line_invalid",
          field: "lines[1].lines",
          says: "there is no taxable line 9: they are 1, 2, 3",
        },
      },
      {
        why: "another sign",
        body: () => tax(quote, vat("1000", "-190")),
        ...{ code: "tax_line_invalid", field: "lines[0].amount_minor", says: "it goes back where that does" },
      },
      {
        why: "a rate in percent",
        body: () => tax(quote, vat("1000", "190", { rate: "19" })),
        ...{ status: 400, code: "request_invalid", field: "lines[0].rate", says: 'such as "0.19" for 19 %' },
      },
      {
        why: "a number instead of a text",
        body: () => tax(quote, { ...vat("1000", "190"), taxable_minor: 1000 } as never),
        ...{ status: 400, code: "request_invalid", field: "lines[0].taxable_minor", says: "" },
      },
      {
        why: "a jurisdiction that the ledger cannot have",
        body: () => tax(quote, vat("1000", "190", { jurisdiction: "New York" })),
        ...{ status: 400, code: "request_invalid", field: "lines[0].jurisdiction", says: "such as us-ny" },
      },
      {
        why: "a line named twice",
        body: () => tax(quote, vat("10", "1", { lines: [1, 1] })),
        ...{
          status: 400,
          code: "request_invalid",
          field: "lines[0].lines",
          says: "must name each line once",
        },
      },
    ],
  )("$why", async ({ body, code, field, says, status = 422 }) => {
    const answer = await taxes.give(id, body());
    expect(refused(answer)).toMatchObject({ status, code, detail: expect.stringContaining(says) });
    expect(answer.body.field).toBe(field);
    expect((await taxes.draftOf(id)).tax.given).toBeNull();
  });

  test("a draft that is none, that goes on, or that is closed", async () => {
    const none = await taxes.give("draft.nobody.x", tax(quote));
    expect(refused(none)).toMatchObject({ status: 404, code: "draft_invoice_not_found" });
    expect(refused(await taxes.give("fern", tax(quote)))).toMatchObject({
      status: 400,
      code: "request_invalid",
    });
    await taxes.billed.subscribe("goes-on");
    expect(refused(await taxes.give(taxes.idOf("goes-on"), tax(quote)))).toMatchObject({
      ...{ status: 409, code: "draft_invoice_in_course" },
      detail: expect.stringContaining("look at the subscription's upcoming invoice"),
    });
    const closed = await taxes.ended("closed-before", null);
    const invoice = await taxes.billed.close("closed-before");
    expect(refused(await taxes.give(closed, tax(quote)))).toMatchObject({
      ...{ status: 409, code: "draft_invoice_closed" },
      detail: `the period is closed by invoice ${invoice}: look at that`,
    });
  });

  test("a customer whose tax nobody outside reckons", async () => {
    const draft = await taxes.ended("untaxed", null);
    const ahead = `/v1/customers/untaxed/tax-lines/${quote}`;
    const { quote: _of, ...body } = tax(quote, vat("1000", "190"));
    for (const answer of [await taxes.give(draft, tax(quote)), await api.call("PUT", ahead, body)]) {
      expect(refused(answer)).toMatchObject({
        ...{ status: 422, code: "tax_not_external" },
        detail: expect.stringContaining("PUT /v1/customers/{id}/tax"),
      });
    }
    const unknown = await api.call("PUT", `/v1/customers/nobody/tax-lines/${quote}`, body);
    expect(refused(unknown)).toMatchObject({ status: 404, code: "customer_not_found" });
  });

  test("a choice for the past, or for nobody", async () => {
    const put = (customer: string, body: object) => api.call("PUT", `/v1/customers/${customer}/tax`, body);
    const past = await put("fern", { handling: "none", applies_at: "2026-01-31T00:00:00Z" });
    expect(refused(past)).toMatchObject({
      ...{ status: 400, code: "request_invalid", field: "applies_at" },
      detail: expect.stringContaining("what is issued stays as it is"),
    });
    const unknown = await put("nobody", { handling: "external" });
    expect(refused(unknown)).toMatchObject({ status: 404, code: "customer_not_found" });
    const other = await put("fern", { handling: "avalara" });
    expect(refused(other)).toMatchObject({ status: 400, code: "request_invalid", field: "handling" });
  });

  test("a draft is not finalised without its tax", async () => {
    const answer = await api.call("POST", `/v1/draft-invoices/${id}/finalise`, {});
    expect(refused(answer)).toMatchObject({
      ...{ status: 409, code: "tax_missing" },
      detail: expect.stringContaining(`give it for quote ${quote} first`),
    });
  });
});
