// A gate tells a worker that a client has left it: what stood for it on that link means nothing any more.

import type { LinkRequest } from '../net/link.ts';
import { writeRequestBody } from '../wire/body.ts';
import { FAREWELL } from '../wire/commands.ts';
import type { Writer } from '../wire/writer.ts';

/** It is not worth telling later than this, in milliseconds. */
const WORTH_MS = 10_000;

export class Farewell implements LinkRequest {
  seq = 0;
  readonly cmd = FAREWELL;
  readonly isOneWay = true;
  readonly deadline: number;
  readonly #ref: number;
  readonly #hasMoved: boolean;

  constructor(ref: number, hasMoved: boolean, now: number) {
    this.#ref = ref;
    this.#hasMoved = hasMoved;
    this.deadline = now + WORTH_MS;
  }

  write(out: Writer): void {
    writeRequestBody(out, `${this.#ref}${this.#hasMoved ? ' moved' : ''}`);
  }

  answered(): void {
    // nothing is answered
  }

  again(): void {
    // whoever gives its sessions away forgets them
  }

  failed(): void {
    // a link that is lost forgets all its clients anyway
  }
}

/** What a farewell says; undefined for what is none. */
export function readFarewell(data: Buffer): { ref: number; hasMoved: boolean } | undefined {
  const found = /^(\d{1,10})( moved)?$/.exec(data.toString('latin1'));
  return found === null ? undefined : { ref: Number(found[1]), hasMoved: found[2] !== undefined };
}
