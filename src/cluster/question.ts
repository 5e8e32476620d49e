// A control command on its way to another worker, and what becomes of its reply.

import { Fault, type FaultName } from '../errors.ts';
import type { LinkRequest } from '../net/link.ts';
import { readBody, writeRequestBody } from '../wire/body.ts';
import type { Frame } from '../wire/frame.ts';
import type { Writer } from '../wire/writer.ts';
import type { Answered } from './peer.ts';

const NOTHING = Buffer.alloc(0);

/** Without `answered` nobody waits for a reply. */
export class Question implements LinkRequest {
  seq = 0;
  readonly cmd: number;
  readonly deadline: number;
  readonly isOneWay: boolean;
  readonly isForOurs = true;
  readonly #data: Uint8Array;
  readonly #answered: Answered | undefined;

  constructor(cmd: number, data: Uint8Array, deadline: number, answered: Answered | undefined) {
    this.cmd = cmd;
    this.#data = data;
    this.deadline = deadline;
    this.#answered = answered;
    this.isOneWay = answered === undefined;
  }

  write(out: Writer): void {
    writeRequestBody(out, this.#data);
  }

  answered(frame: Frame): void {
    let data: Buffer;
    let fault: Fault | undefined;
    try {
      const body = readBody(frame.bytes, frame.start, frame.end);
      data = body.data;
      if (body.result !== undefined && body.result.code !== 0) {
        fault = new Fault('failed', body.result.msg.toString() || `the other worker answered code ${body.result.code}`);
      }
    } catch {
      data = NOTHING;
      fault = new Fault('invalidResponse');
    }
    this.#answered?.(fault, data);
  }

  again(): void {
    this.failed('closed');
  }

  failed(name: FaultName): void {
    this.#answered?.(new Fault(name), NOTHING);
  }
}
