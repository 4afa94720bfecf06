import type { MatrixModel } from "../catalog/index.ts";
import { dimensionsKey } from "../metering/index.ts";
import { type Decimal, decimal, zero } from "../money/index.ts";
import type { PricedCell } from "./priced-cells.ts";
import type { MeasuredCell } from "./usage-measure.ts";

/** What a matrix says of the dimension values it names: where they stand in it, and what a unit costs. */
type NamedCell = { readonly place: number; readonly unitPriceMinor: Decimal };

// A price is read once for all the subscriptions that it rates.
const known = new WeakMap<MatrixModel, ReadonlyMap<string, NamedCell>>();

/** Measured cells with their prices: those that the matrix names in its order, then the others by their values. */
export function matrixCells(model: MatrixModel, cells: readonly MeasuredCell[]): PricedCell[] {
  const named = namedCells(model);
  const otherwise = model.defaultUnitPriceMinor === null ? null : decimal(model.defaultUnitPriceMinor);
  const placed = cells.map(({ dimensions, quantity }) => {
    const { place = named.size, unitPriceMinor = otherwise } = named.get(dimensionsKey(dimensions)) ?? {};
    return {
      place,
      cell: dimensions,
      quantity,
      unitPriceMinor: unitPriceMinor ?? zero,
      isPriced: unitPriceMinor !== null,
    };
  });
  // Sorting is stable, and the cells come by their values.
  return placed.toSorted((one, other) => one.place - other.place);
}

function namedCells(model: MatrixModel): ReadonlyMap<string, NamedCell> {
  const made =
    known.get(model) ??
    new Map(
      model.cells.map(({ values, unitPriceMinor }, place): [string, NamedCell] => [
        dimensionsKey(values),
        { place, unitPriceMinor: decimal(unitPriceMinor) },
      ]),
    );
  known.set(model, made);
  return made;
}
