// Cuts a stream into messages for every dialect with a head of fixed size that tells the length of what follows.
// A message that lies whole in one piece from the socket is not copied; the pieces of any other are copied once into
// memory that grows with what really came, so that announcing much costs a peer's victim nothing.

import type { Decoder } from './codec.ts';
import type { Frame } from './frame.ts';

/** What differs between dialects. */
export interface Framing {
  readonly headBytes: number;
  /** Length of the body after the head at `at`. Throws FramingError for a head that is none and for a body that is too long. */
  bodyBytes(bytes: Buffer, at: number, maxBody: number): number;
  frame(bytes: Buffer, at: number, bodyBytes: number): Frame;
}

const NONE = Buffer.alloc(0);
/** What a piece of memory costs besides its bytes; without it a peer could make us keep 200 bytes for each one that it sends. */
const PIECE_OVERHEAD = 256;
const FIRST_BLOCK = 1024;
const MAX_BLOCK = 1024 * 1024;

function ownCopy(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(copy);
  return copy;
}

export class LengthDecoder implements Decoder {
  readonly #framing: Framing;
  readonly #maxBody: number;
  /** Bytes straight from the socket, read up to #at. */
  #chunk: Buffer = NONE;
  #at = 0;
  /** Further pieces, when they came before anybody asked for the next message. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The message that has begun in an earlier piece: blocks of memory, the last one filled up to #fill. */
  #blocks: Buffer[] = [];
  #fill = 0;
  #have = 0;
  #need = 0;
  #allocated = 0;

  constructor(framing: Framing, maxBody: number) {
    this.#framing = framing;
    this.#maxBody = maxBody;
  }

  get held(): number {
    return this.#allocated + this.#waitingBytes + (this.#at < this.#chunk.length ? this.#chunk.length + PIECE_OVERHEAD : 0);
  }

  get unfinished(): boolean {
    return this.#have > 0;
  }

  feed(chunk: Buffer): void {
    if (this.#at < this.#chunk.length) {
      // a small piece may be a view of memory that it shares with many; one that waits must not keep all of that
      this.#waiting.push(chunk.length < chunk.buffer.byteLength ? ownCopy(chunk) : chunk);
      this.#waitingBytes += chunk.length + PIECE_OVERHEAD;
    } else {
      this.#chunk = chunk;
      this.#at = 0;
    }
  }

  next(): Frame | undefined {
    for (;;) {
      const left = this.#chunk.length - this.#at;
      if (left === 0) {
        this.#chunk = NONE;
        this.#at = 0;
        if (this.#waiting.length === 0) return undefined;
        this.#chunk = this.#waiting.shift()!;
        this.#waitingBytes -= this.#chunk.length + PIECE_OVERHEAD;
        continue;
      }
      const frame = this.#have > 0 ? this.#continue() : this.#begin(left);
      if (frame !== undefined) return frame;
    }
  }

  rest(): Buffer {
    const out = Buffer.concat([...this.#filled(), this.#chunk.subarray(this.#at), ...this.#waiting]);
    this.#drop();
    this.#chunk = NONE;
    this.#at = 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return out;
  }

  /** A message begins at #at: deliver it in place if it is whole, or start keeping it. */
  #begin(left: number): Frame | undefined {
    const { headBytes } = this.#framing;
    let need = headBytes;
    if (left >= headBytes) {
      const body = this.#framing.bodyBytes(this.#chunk, this.#at, this.#maxBody);
      need += body;
      if (left >= need) {
        const frame = this.#framing.frame(this.#chunk, this.#at, body);
        this.#at += need;
        return frame;
      }
    }
    this.#need = need;
    this.#keep();
    return undefined;
  }

  /** A message goes on: the head may just have become whole, then its length is judged before more is kept. */
  #continue(): Frame | undefined {
    this.#keep();
    if (this.#have < this.#need) return undefined;
    const { headBytes } = this.#framing;
    if (this.#need === headBytes) {
      const head = this.#blocks[0]!;
      this.#need += this.#framing.bodyBytes(head, 0, this.#maxBody);
      if (this.#need > headBytes) return undefined;
    }
    const whole = this.#blocks.length === 1 ? this.#blocks[0]! : Buffer.concat(this.#filled(), this.#have);
    const body = this.#need - headBytes;
    this.#drop();
    return this.#framing.frame(whole, 0, body);
  }

  /** Copies what the current piece has of the unfinished message. */
  #keep(): void {
    while (this.#have < this.#need && this.#at < this.#chunk.length) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#fill === block.length) {
        const want = Math.min(this.#need - this.#have, this.#chunk.length - this.#at);
        const room = Math.max(want, Math.min(this.#need - this.#have, Math.max(FIRST_BLOCK, Math.min(this.#have, MAX_BLOCK))));
        // the head alone must lie in one block
        block = Buffer.allocUnsafeSlow(this.#have === 0 ? Math.max(room, this.#framing.headBytes) : room);
        this.#blocks.push(block);
        this.#fill = 0;
        this.#allocated += block.length + PIECE_OVERHEAD;
      }
      const n = Math.min(block.length - this.#fill, this.#chunk.length - this.#at, this.#need - this.#have);
      this.#chunk.copy(block, this.#fill, this.#at, this.#at + n);
      this.#fill += n;
      this.#have += n;
      this.#at += n;
    }
  }

  #filled(): Buffer[] {
    return this.#blocks.map((block, i) => (i === this.#blocks.length - 1 ? block.subarray(0, this.#fill) : block));
  }

  #drop(): void {
    this.#blocks = [];
    this.#fill = 0;
    this.#have = 0;
    this.#need = 0;
    this.#allocated = 0;
  }
}
