/** CRC-32, as gzip and PostgreSQL's `crc32` have it: a run and a query come to the same. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * How many seconds after it could be, a subscription's period is closed: the same for all its periods, and spread evenly
 * over the window, so that what ends at one instant is not closed at one instant. What is billed ends with the period.
 * @param windowSeconds 0 closes everything at once
 */
export function closeDelaySeconds(subscriptionId: string, windowSeconds: number): number {
  return windowSeconds === 0 ? 0 : crc32(subscriptionId) % windowSeconds;
}
