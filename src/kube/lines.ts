// Bytes of a watch become lines: split on the bytes, joined once, never longer than is taken.

import { KubeError } from './error.ts';

const NEWLINE = 10;

export class Lines {
  readonly #max: number;
  #pieces: Buffer[] = [];
  #length = 0;

  /** `max`: bytes of one line. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The lines that are whole now. Throws when one gets longer than is taken. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#length);
      if (line.length > 0) lines.push(line.toString());
      this.#pieces = [];
      this.#length = 0;
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** Whether bytes of an unfinished line are held. */
  get isOpen(): boolean {
    return this.#length > 0;
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#max) throw KubeError.own('TooLarge', `a line of a watch has more than ${this.#max} bytes`);
    this.#pieces.push(piece);
  }
}
