import { Stripe } from "stripe";
import { configurationOrExit, loadConformanceConfig } from "../../config.ts";
import { startStripeSandbox } from "../stripe/index.ts";
import { sequences } from "./sequences.ts";
import { differencesOf, transcriptOf } from "./transcript.ts";

/**
 * `npm run stripe:conformance`: the same calls to the stand-in and to Stripe's test mode, and each difference; ends with 1 when
 * there is one. Without STRIPE_API_KEY it says what it would do.
 */
const { apiKey } = configurationOrExit(loadConformanceConfig);
const sandbox = await startStripeSandbox({ port: 0 });
const address = { host: "127.0.0.1", port: sandbox.port, protocol: "http" } as const;
const standIn = new Stripe("sk_test_conformance", { ...address, maxNetworkRetries: 0 });
const real = apiKey === undefined ? undefined : new Stripe(apiKey, { maxNetworkRetries: 2 });
let [calls, differing] = [0, 0];
try {
  for (const sequence of sequences) {
    const ours = await transcriptOf(standIn, sequence);
    calls += ours.length;
    console.log(`${sequence.name}: ${sequence.finds}`);
    if (real === undefined) {
      for (const { step, answer } of ours) console.log(`  ${step}: ${answer}`);
      continue;
    }
    const differences = differencesOf(ours, await transcriptOf(real, sequence));
    differing += differences.length;
    console.log(
      differences.length === 0 ? "  no difference" : differences.map((each) => `  ${each}`).join("\n"),
    );
  }
} finally {
  await sandbox.close();
}
console.log(
  real === undefined
    ? `\nWithout a key nothing was asked of Stripe. With STRIPE_API_KEY=sk_test_… these ${calls} calls in ${sequences.length} ` +
        "sequences are made in Stripe's test mode too, its answers are held against those above, and the customers that were " +
        "made are deleted."
    : `\n${calls} calls in ${sequences.length} sequences: ${differing === 0 ? "no difference" : `${differing} differences`}.`,
);
process.exitCode = differing === 0 ? 0 : 1;
