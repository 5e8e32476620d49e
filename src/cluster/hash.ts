// The hashes of the original (util/hash.cpp), with its swapped constants and its signed bytes: every node must agree on who owns a key.

const bytesOf = (key: Uint8Array | string): Uint8Array => (typeof key === 'string' ? Buffer.from(key) : key);

/** What the original calls FNV1A_64: 32 bits, start and prime swapped. Places a key in the ring. Takes text as UTF-8. */
export function fnv1a(key: Uint8Array | string): number {
  let state = 0x1b3;
  if (typeof key === 'string') {
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      if (code > 0x7f) return fnv1a(Buffer.from(key));
      state = Math.imul(state ^ code, 0x84222325);
    }
    return state >>> 0;
  }
  // a byte above 127 is negative, and fills the upper bits
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ ((key[i]! << 24) >> 24), 0x84222325);
  return state >>> 0;
}

/** What the original calls FNV1_64: 64 bits, of which the low 32 are used. Chooses among the connections to one worker. */
export function fnv1(key: Uint8Array | string): number {
  // the low half depends on no higher bit, so 0x100000001b3 and 0xcbf29ce484222325 are cut to 32 bits from the beginning
  let low = 0x1b3;
  for (const byte of bytesOf(key)) low = Math.imul(low, 0x84222325) ^ ((byte << 24) >> 24);
  return low >>> 0;
}
