import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeForm, FormError } from "../../src/sandbox/stripe/http/form.ts";
import { StripeRefusal } from "../../src/sandbox/stripe/http/refusal.ts";
import { compileOperations } from "../../src/sandbox/stripe/schema/operations.ts";
import { allMutants } from "./support/mutants.ts";

/**
 * Nearly right requests, taken or refused as stripe-mock takes or refuses them: `record-mutants.ts` has asked it. What is meant
 * to be otherwise is named below.
 */
const golden: { verdicts: Record<string, string> } = JSON.parse(
  readFileSync(join(import.meta.dirname, "golden", "stripe-mock-verdicts.json"), "utf8"),
);
const readers = compileOperations();

function isTaken(operation: string, form: string): boolean {
  try {
    readers.get(operation)?.(decodeForm(form));
    return true;
  } catch (error) {
    if (error instanceof StripeRefusal || error instanceof FormError) return false;
    throw error;
  }
}

/** What is meant to be otherwise, and whether we then take it. */
const exceptions: readonly { readonly why: string; readonly taken: boolean; readonly form: RegExp }[] = [
  {
    why: "Stripe refuses parameters that it does not know inside others too; stripe-mock looks at the outermost",
    taken: false,
    form: /\[(no_such_parameter|inner|key)\]=/,
  },
  {
    why: "Stripe's specification marks the enumeration as open; stripe-mock takes it for closed",
    taken: true,
    form: /=no_such_value/,
  },
  {
    why: "stripe-mock does not look at lengths",
    taken: false,
    form: /(postal_code|confirmation_number)\]=no_such/,
  },
  { why: "endive has taken it away", taken: false, form: /payment_method_types\[0\]=/ },
  { why: "this stand-in speaks one version", taken: false, form: /api_version=2011/ },
];

test("at least 2,000 of them, each with stripe-mock's verdict", () => {
  const mutants = allMutants();
  for (const { operation, forms } of mutants) {
    expect(golden.verdicts[operation], operation).toHaveLength(forms.length);
  }
  expect(mutants.reduce((count, { forms }) => count + forms.length, 0)).toBeGreaterThanOrEqual(2_000);
});

test("are taken and refused alike, but for what is named", () => {
  const differing = allMutants().flatMap(({ operation, forms }) =>
    forms
      .filter((form, place) => {
        const verdict = golden.verdicts[operation]?.[place];
        return verdict !== "?" && isTaken(operation, form) !== (verdict === "1");
      })
      .filter(
        (text) =>
          !exceptions.some(
            ({ taken, form }) => taken === isTaken(operation, text) && form.test(decodeURIComponent(text)),
          ),
      )
      .map(
        (form) =>
          `${operation} ${decodeURIComponent(form)}: ${isTaken(operation, form) ? "taken" : "refused"}`,
      ),
  );
  expect(differing).toEqual([]);
});

test.each(exceptions)("$why", ({ taken, form }) => {
  const met = allMutants().some(({ operation, forms }) =>
    forms.some(
      (text, place) =>
        form.test(decodeURIComponent(text)) &&
        isTaken(operation, text) === taken &&
        golden.verdicts[operation]?.[place] === (taken ? "0" : "1"),
    ),
  );
  expect(met, "an exception that nothing needs is no exception").toBe(true);
});
