/** Does a piece of work as soon as there is room for it. */
export type WithRoom = <T>(work: () => Promise<T>) => Promise<T>;

/** Room for so many works at once; the others wait their turn, whoever came first being first. */
export function atMost(limit: number): WithRoom {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((enter) => waiting.push(enter));
    try {
      return await work();
    } finally {
      // Whoever waits longest takes the place over; it is not free in between.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
