import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { newTestKey, sdk, takeMisfits } from "./support/sandbox.ts";

test("a reply that does not fit Stripe's specification is noticed", async () => {
  const liar = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ id: "cus_1", object: "customer", created: "yesterday" }));
  });
  liar.listen(0, "127.0.0.1");
  await once(liar, "listening");
  const address = liar.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const stripe = sdk(`http://127.0.0.1:${address.port}`, newTestKey());
  await stripe.customers.create();
  expect(takeMisfits()).toEqual([
    "POST /v1/customers: reply.livemode is missing",
    "POST /v1/customers: reply.created is not of type integer",
  ]);
  liar.close();
  liar.closeAllConnections();
});
