const width = 24;

/** "██████░░░░░░░░░░░░░░░░░░  25 %". @param done from 0 to 1 */
export function progressBar(done: number): string {
  const share = Math.min(1, Math.max(0, done));
  const full = Math.round(share * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}
