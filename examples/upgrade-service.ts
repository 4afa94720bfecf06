import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { changePlan, connectTemporal, subscriptionClient, WorkflowRefusal } from "reckoner/temporal";

/**
 * A service that sells upgrades, and talks to Temporal itself: one hop less, and it goes on while the API is being deployed.
 * `POST /subscriptions` with `{ order, subscription, customer, plan }`, and `POST /upgrades` with `{ order, subscription, plan }`.
 * The order's number names the request, so a customer who clicks twice upgrades once.
 */
const {
  TEMPORAL_ADDRESS = "127.0.0.1:7233",
  TEMPORAL_NAMESPACE = "default",
  TASK_QUEUE = "reckoner",
  PORT = "8090",
} = process.env;

const client = await connectTemporal({
  address: TEMPORAL_ADDRESS,
  namespace: TEMPORAL_NAMESPACE,
  apiKey: undefined,
  tls: false,
  taskQueue: TASK_QUEUE,
});
const subscriptions = subscriptionClient(client, { taskQueue: TASK_QUEUE });

interface Order {
  readonly order: string;
  readonly subscription: string;
  readonly customer: string;
  readonly plan: string;
}

const sales: Readonly<Record<string, (order: Order) => Promise<object>>> = {
  "/subscriptions": ({ order, subscription, customer, plan }) =>
    subscriptions.activate({
      subscriptionId: subscription,
      customerId: customer,
      requestId: order,
      items: [{ planKey: plan, seats: 1 }],
    }),
  "/upgrades": ({ order, subscription, plan }) =>
    subscriptions.send(subscription, changePlan, { requestId: order, planKey: plan }),
};

const server = createServer(async (request, response) => {
  const sell = sales[request.url ?? ""];
  try {
    const answer = sell === undefined ? {} : await sell((await json(request)) as Order);
    response.writeHead(sell === undefined ? 404 : 200).end(JSON.stringify(answer));
  } catch (error) {
    const { code, message } =
      error instanceof WorkflowRefusal ? error : { code: "unavailable", message: "try again" };
    response.writeHead(error instanceof WorkflowRefusal ? 422 : 503).end(JSON.stringify({ code, message }));
  }
});
server.listen(
  Number(PORT),
  "127.0.0.1",
  () => void process.stdout.write(`${JSON.stringify({ port: Number(PORT) })}\n`),
);

process.once("SIGTERM", async () => {
  server.close();
  await client.connection.close();
});
