/** A whole number from 0 to before `below`. */
export type Dice = (below: number) => number;

/** The same throws for the same seed (mulberry32). */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export const oneOf = <Item>(dice: Dice, items: readonly Item[]): Item => {
  const item = items[dice(items.length)];
  if (item === undefined) throw new Error("there is nothing to choose from");
  return item;
};

/**
 * What tests are told by: the first of the kept ones, and by night all of them and one that is new every time. Kept is what has
 * found something, or comes to much. What a failure has named is told again by setting the variable.
 */
export function seedsOf(variable: string, kept: readonly [number, ...number[]]): readonly number[] {
  const given = process.env[variable];
  if (given !== undefined) return [Number(given)];
  return process.env.NIGHTLY === "1" ? [...kept, Date.now() % 1_000_000_000] : [kept[0]];
}
