import { parseArgs } from "node:util";
import { loadNow, thisMachine, writeFigures } from "./figures.ts";
import { measureRail } from "./stripe/rail.ts";
import { measureSoak } from "./stripe/soak.ts";
import { measureStandIn } from "./stripe/stand-in.ts";
import { measureWebhooks } from "./stripe/webhooks.ts";

/**
 * `npm run bench:stripe`: what the stand-in can do, how soon webhooks are answered, and how near to Stripe's limits invoices are
 * collected. `--only stand-in`, `webhooks`, `rail` or `soak` for a part; the soak, an hour of a hostile Stripe, runs only so.
 */
const { values: flags } = parseArgs({
  options: {
    writes: { type: "string", default: "5000" },
    objects: { type: "string", default: "100000" },
    invoices: { type: "string", default: "2000" },
    // Of Stripe's documented limits: less where the machine is too busy to meet them.
    share: { type: "string", default: "1" },
    webhooks: { type: "string", default: "10000" },
    "webhooks-per-second": { type: "string", default: "200" },
    soak: { type: "string", default: "10000" },
    only: { type: "string" },
    out: { type: "string" },
  },
});

const numbers = { ...flags, out: undefined, only: undefined };
for (const [flag, value] of Object.entries(numbers)) {
  if (value !== undefined && !(Number(value) > 0)) throw new Error(`--${flag} is a number above 0`);
}
const [writes, objects, invoices] = [flags.writes, flags.objects, flags.invoices].map(Number) as [
  number,
  number,
  number,
];

const isWanted = (part: string) => (flags.only === undefined ? part !== "soak" : flags.only === part);

async function measured<Figures>(
  part: string,
  measure: () => Promise<Figures>,
): Promise<Figures | undefined> {
  if (!isWanted(part)) return undefined;
  console.log(`${part}: begun`);
  const figures = await measure();
  console.log(figures);
  return figures;
}

const loadBefore = loadNow();
const standIn = await measured("stand-in", () => measureStandIn({ writes, objects }));
const webhooks = await measured("webhooks", () =>
  measureWebhooks({ webhooks: Number(flags.webhooks), perSecond: Number(flags["webhooks-per-second"]) }),
);
const rail = await measured("rail", () => measureRail({ invoices, share: Number(flags.share) }));
const soak = await measured("soak", () => measureSoak({ invoices: Number(flags.soak) }));
const figures = {
  bench: "stripe",
  measuredAt: new Date().toISOString(),
  machine: thisMachine(),
  loadBefore,
  standIn,
  webhooks,
  rail,
  soak,
};
if (flags.out !== undefined) writeFigures(flags.out, figures);
