// Counts replies by their heads, as cheaply as a check of every one of them can be.

const HEAD_BYTES = 15;
const TAG_HEAD = 0x0d;
const TAG_RESULT = 0x12;
const TAG_CODE = 0x08;

export class ReplyReader {
  readonly #cmd: number;
  #seq = 0;
  #tail: Buffer | undefined;

  /** `cmd` is the command that every reply must have. */
  constructor(cmd: number) {
    this.#cmd = cmd;
  }

  /** The next reply is the first of a burst: its seq is 1 again. */
  restart(): void {
    this.#seq = 0;
  }

  /**
   * Counts the whole replies in the first `bytes` bytes and in what came before; keeps a copy of the rest. Returns -1 if one of them is not
   * what is expected: its command, the order of seq, and the code 0, which is not written and so leaves no tag.
   */
  count(chunk: Buffer, bytes: number): number {
    let from = chunk;
    let end = bytes;
    if (this.#tail !== undefined) {
      from = Buffer.concat([this.#tail, chunk.subarray(0, bytes)]);
      end = from.length;
      this.#tail = undefined;
    }
    let at = 0;
    let count = 0;
    while (at + HEAD_BYTES <= end) {
      const next = at + HEAD_BYTES + (from[at + 11]! | (from[at + 12]! << 8));
      if (next > end) break;
      const seq = ++this.#seq & 0xffff;
      if (from[at] !== TAG_HEAD || (from[at + 1]! | (from[at + 2]! << 8)) !== this.#cmd) return -1;
      if ((from[at + 6]! | (from[at + 7]! << 8)) !== seq || from[at + 13] !== 0) return -1;
      if (next > at + HEAD_BYTES && (from[at + HEAD_BYTES] !== TAG_RESULT || from[at + HEAD_BYTES + 2] === TAG_CODE)) return -1;
      at = next;
      count++;
    }
    if (at < end) this.#tail = Buffer.from(from.subarray(at, end));
    return count;
  }
}
