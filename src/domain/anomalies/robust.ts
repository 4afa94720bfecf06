/** How far a figure is from others like it, said so that a few wild ones among them change nothing. */
export interface Deviation {
  /** Half of the others are at most this. */
  readonly median: bigint;
  /** Half of the others are at most this far from their median. */
  readonly spread: bigint;
  /** How many spreads the figure is above the median, in tenths; negative: below. */
  readonly tenths: bigint;
}

/** The middle one; of an even number the lower of the two in the middle. @throws RangeError without any */
export function median(figures: readonly bigint[]): bigint {
  const middle = figures.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[
    Math.floor((figures.length - 1) / 2)
  ];
  if (middle === undefined) throw new RangeError("there is no middle of nothing");
  return middle;
}

/**
 * Median and median absolute deviation. Where all others are alike their spread would be nothing and any difference without
 * end: it is at least a twentieth of the median, and at least `spreadMin`.
 * @param spreadMin above zero, in the unit of the figures
 */
export function deviationOf(figure: bigint, others: readonly bigint[], spreadMin: bigint): Deviation {
  const middle = median(others);
  const distances = others.map((other) => absolute(other - middle));
  const spread = [median(distances), absolute(middle) / 20n, spreadMin].reduce((a, b) => (a > b ? a : b));
  return { median: middle, spread, tenths: ((figure - middle) * 10n) / spread };
}

const absolute = (figure: bigint): bigint => (figure < 0n ? -figure : figure);
