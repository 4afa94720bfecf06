import { Stripe } from "stripe";

/** One call of a sequence, as it was answered, without anything that differs by itself: ids, times, words for people. */
export type Answered = { readonly step: string; readonly answer: string };

/** Makes a call, writes down how it was answered, and gives back what it gave; undefined when it was refused. */
export type Call = <T extends object>(
  step: string,
  send: (stripe: Stripe) => Promise<T>,
  shown?: readonly (keyof T & string)[],
) => Promise<T | undefined>;

/** Some calls that belong together, and what they find out. */
export type Sequence = {
  readonly name: string;
  readonly finds: string;
  readonly run: (call: Call) => Promise<void>;
};

/** Runs a sequence and answers with its transcript. What it made of customers is taken away again. */
export async function transcriptOf(stripe: Stripe, sequence: Sequence): Promise<readonly Answered[]> {
  const answered: Answered[] = [];
  const customers: string[] = [];
  await sequence.run(async (step, send, shown = []) => {
    try {
      const given = await send(stripe);
      if ("object" in given && given.object === "customer" && "id" in given) customers.push(String(given.id));
      const fields = shown.map((field) => `${field}=${JSON.stringify(given[field])}`);
      answered.push({ step, answer: ["200", ...fields].join(" ") });
      return given;
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      const { statusCode, rawType, code, decline_code: declineCode, param } = error;
      const said = [statusCode, rawType, code, declineCode, param].map((part) => part || "–");
      answered.push({ step, answer: said.join(" ") });
      return undefined;
    }
  });
  for (const id of customers) await stripe.customers.del(id).catch(() => undefined);
  return answered;
}

/** Where two transcripts of one sequence differ: the step, and what each was answered. */
export function differencesOf(ours: readonly Answered[], theirs: readonly Answered[]): readonly string[] {
  const steps = new Map(theirs.map(({ step, answer }) => [step, answer]));
  const differing = ours
    .filter(({ step, answer }) => steps.get(step) !== answer)
    .map(
      ({ step, answer }) =>
        `${step}\n    stand-in: ${answer}\n    Stripe:   ${steps.get(step) ?? "not reached"}`,
    );
  const known = new Set(ours.map(({ step }) => step));
  const further = theirs
    .filter(({ step }) => !known.has(step))
    .map(({ step, answer }) => `${step}\n    stand-in: not reached\n    Stripe:   ${answer}`);
  return [...differing, ...further];
}
