const randomPoolBytes = 4_096;
const counterMax = 0xfff;
/** A new millisecond starts low, so that the counter has room to go up in it. */
const firstCounterMax = 0x3ff;

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Makes ids of version 7 (RFC 9562): 48 bits of milliseconds, a counter of 12 bits, 62 random bits. Those of one maker
 * ascend, also when the clock is set back: it then goes on from the last millisecond.
 */
export function createUuidV7(wallMs: () => number): () => string {
  const pool = new Uint8Array(randomPoolBytes);
  let used = pool.length;
  let lastMs = 0;
  let counter = 0;
  const randomByte = () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    return pool[used++] ?? 0;
  };
  const hex = (byte: number) => hexOfByte[byte & 0xff] ?? "";
  return () => {
    const nowMs = wallMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = ((randomByte() << 8) | randomByte()) & firstCounterMax;
    } else if (++counter > counterMax) {
      lastMs++;
      counter = 0;
    }
    const time = lastMs.toString(16).padStart(12, "0");
    const sequence = `7${counter.toString(16).padStart(3, "0")}`;
    const variant = hex(0x80 | (randomByte() & 0x3f)) + hex(randomByte());
    const rest =
      hex(randomByte()) +
      hex(randomByte()) +
      hex(randomByte()) +
      hex(randomByte()) +
      hex(randomByte()) +
      hex(randomByte());
    return `${time.slice(0, 8)}-${time.slice(8)}-${sequence}-${variant}-${rest}`;
  };
}

/** When an id of version 7 was made, in milliseconds since 1970. */
export function millisecondsOfUuidV7(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
