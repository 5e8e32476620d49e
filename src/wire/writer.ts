// Where outgoing messages are encoded: one growing piece of memory that is used again and again, copied out once per write.

// the global of the same name is looked up anew at every use
import { Buffer } from 'node:buffer';

/** What stays allocated between messages; a larger message gets room of its own and gives it back. */
const KEEP_BYTES = 256 * 1024;
/** Below this many bytes a loop beats the call into native code. */
const SHORT = 48;

export class Writer {
  #bytes: Buffer;
  #length = 0;

  /** `bytes` is the memory to begin with; it grows as needed. */
  constructor(bytes = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** The memory written to; valid until the next call that writes. */
  get memory(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room for `n` more bytes and moves behind them: for heads that are filled in when the length is known. */
  skip(n: number): number {
    this.#room(n);
    const at = this.#length;
    this.#length += n;
    return at;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    this.#room(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 0x80) {
      bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    const n = value.length;
    this.#room(n);
    const bytes = this.#bytes;
    let at = this.#length;
    if (n <= SHORT) for (let i = 0; i < n; i++) bytes[at++] = value[i]!;
    else bytes.set(value, at);
    this.#length += n;
  }

  /** A part of other memory, without a view of it. */
  range(from: Buffer, start: number, end: number): void {
    const n = end - start;
    this.#room(n);
    const bytes = this.#bytes;
    let at = this.#length;
    if (n <= SHORT) for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    else from.copy(bytes, at, start, end);
    this.#length += n;
  }

  /** Writes a protobuf field of text: its tag, its length and its UTF-8 bytes. */
  textField(tag: number, value: string): void {
    const n = value.length;
    if (n <= SHORT) {
      this.#room(n + 2);
      const bytes = this.#bytes;
      let at = this.#length;
      bytes[at++] = tag;
      bytes[at++] = n;
      let i = 0;
      for (; i < n; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      // nearly all short text is plain ASCII: known while it is written, instead of asked before
      if (i === n) {
        this.#length = at;
        return;
      }
    }
    const length = Buffer.byteLength(value);
    this.byte(tag);
    this.varint(length);
    this.text(value, length);
  }

  /** Writes text of `byteLength` UTF-8 bytes. */
  text(value: string, byteLength: number): void {
    this.#room(byteLength);
    const bytes = this.#bytes;
    let at = this.#length;
    // as many bytes as characters: plain ASCII
    if (byteLength <= SHORT && byteLength === value.length) for (let i = 0; i < byteLength; i++) bytes[at++] = value.charCodeAt(i);
    else bytes.write(value, at, byteLength, 'utf8');
    this.#length += byteLength;
  }

  /** A copy of what was written, and a fresh start. */
  take(): Buffer {
    const out = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(out, 0, 0, this.#length);
    this.clear();
    return out;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#bytes = Buffer.allocUnsafeSlow(KEEP_BYTES);
  }

  #room(n: number): void {
    const need = this.#length + n;
    if (need <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
