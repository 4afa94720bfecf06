import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { suppressedKindsOf, suppressKinds } from "../../db/notices/mail-preferences.ts";
import { deliveriesOf, findNotice, listNotices } from "../../db/notices/notices.ts";
import { kindsByEmail } from "../../domain/notices/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams } from "../wire.ts";
import { noticeAnswer, noticeKindSchema, noticeSchema } from "./webhook-endpoint-schemas.ts";

const tags = ["Notices"];

const preferencesSchema = z
  .object({ suppressed_kinds: z.array(noticeKindSchema).describe("Of these no e-mail is sent.") })
  .meta({ id: "NoticePreferences" });

/** What customers were told, and of what they want no e-mail. */
export function noticeRoutes(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.get(
    "/v1/notices",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List notices, the latest facts first",
        querystring: pageQuery.extend({ customer: idInput.optional(), kind: noticeKindSchema.optional() }),
        response: { 200: listOf(noticeSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, kind, ...paging } = query;
      const page = await listNotices(db.orm, { customerId, kind }, pageRequest(paging, newestFirst));
      const deliveries = await deliveriesOf(
        db.orm,
        page.items.map(({ id }) => id),
      );
      return listAnswer(page, newestFirst, (row) => noticeAnswer(row, deliveries.get(row.id) ?? []));
    },
  );
  api.get(
    "/v1/notices/:id",
    {
      config: { scope: "read", refusals: ["notice_not_found"] },
      schema: {
        tags,
        summary: "A notice, and where it went",
        params: idParams,
        response: { 200: noticeSchema },
      },
    },
    async ({ params: { id } }) => {
      const row = found(await findNotice(db.orm, id), "notice", id);
      return noticeAnswer(row, (await deliveriesOf(db.orm, [id])).get(id) ?? []);
    },
  );
  preferenceRoutes(api, { db, now });
}

function preferenceRoutes(api: ApiInstance, { db, now }: Pick<ApiDependencies, "db" | "now">): void {
  const path = "/v1/customers/:id/notice-preferences";
  const answer = async (id: string) => ({ suppressed_kinds: [...(await suppressedKindsOf(db.orm, id))] });
  api.get(
    path,
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Of which notices a customer wants no e-mail",
        params: idParams,
        response: { 200: preferencesSchema },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      return await answer(id);
    },
  );
  api.put(
    path,
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Say of which notices a customer wants no e-mail",
        params: idParams,
        body: z.strictObject({ suppressed_kinds: z.array(z.enum(kindsByEmail)).max(50) }),
        response: { 200: preferencesSchema },
      },
    },
    async ({ params: { id }, body: { suppressed_kinds: kinds } }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      await suppressKinds(db.orm, id, [...new Set(kinds)], now());
      return await answer(id);
    },
  );
}
