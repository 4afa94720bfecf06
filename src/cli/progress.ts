const quietMs = 2_000;

/** Says on stderr every few seconds how far it is, and how long the rest will take at this pace; nothing when all is done before. */
export function progressOf(things: string): (done: number, all: number) => void {
  const startedAt = performance.now();
  let saidAt = startedAt;
  return (done, all) => {
    const now = performance.now();
    if (now - saidAt < quietMs) return;
    saidAt = now;
    const secondsLeft = Math.ceil((((now - startedAt) / done) * (all - done)) / 1_000);
    const percent = Math.floor((done / all) * 100);
    console.error(`… ${done} of ${all} ${things} (${percent} %), about ${secondsLeft} s left`);
  };
}
