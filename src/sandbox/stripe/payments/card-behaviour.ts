import type { CardBehaviour } from "../state/own-objects.ts";
import type { Transaction } from "../state/transaction.ts";

/** Remembers how the card behind a new payment method answers. */
export function giveCardNature(tx: Transaction, paymentMethodId: string, nature: string): void {
  tx.put({ ...behaviourOf(tx, paymentMethodId), nature });
}

/** Makes the next charges of a card end as listed, after which it follows its nature again. */
export function scriptCard(tx: Transaction, paymentMethodId: string, outcomes: readonly string[]): void {
  tx.put({ ...behaviourOf(tx, paymentMethodId), script: outcomes });
}

/** A card whose bank asks the customer once, when it is saved, and never again. */
const untilSetUp = "require_action_until_set_up";

/** The bank has had its answer while the customer was there. */
export function noteSetUp(tx: Transaction, paymentMethodId: string): void {
  if (natureOf(tx, paymentMethodId) === untilSetUp) giveCardNature(tx, paymentMethodId, "succeed");
}

/** How the next charge ends; uses up one step of the script. */
export function nextCardOutcome(tx: Transaction, paymentMethodId: string): string {
  const behaviour = behaviourOf(tx, paymentMethodId);
  const [scripted, ...rest] = behaviour.script;
  if (scripted === undefined) return behaviour.nature === untilSetUp ? "require_action" : behaviour.nature;
  tx.put({ ...behaviour, script: rest });
  return scripted;
}

/** What follows a charge of this card, or a refund of it, by the test card that it is. */
export function natureOf(tx: Transaction, paymentMethodId: string): string {
  return behaviourOf(tx, paymentMethodId).nature;
}

function behaviourOf(tx: Transaction, paymentMethodId: string): CardBehaviour {
  const id = `card/${paymentMethodId}`;
  const unset: CardBehaviour = {
    id,
    object: "card_behaviour",
    created: tx.now,
    nature: "succeed",
    script: [],
  };
  return tx.find("card_behaviour", id) ?? unset;
}
