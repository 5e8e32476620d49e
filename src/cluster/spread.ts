// Messages for groups and for everybody. Those of one turn leave together: one control message to each worker that serves clients, in which
// the frames for one group stand in a row, and there one buffer for each connection.

import type { SpreadResult } from '../session/results.ts';
import { Writer } from '../wire/writer.ts';
import { control, decodeSpread, encodeSpread, MAX_FRAMES, readAnswer, spreadReply, writePushFrame } from './control.ts';
import type { Delivery } from './delivery.ts';
import type { Peer } from './peer.ts';

/** A row of frames that has this many bytes is sent without waiting for the end of the turn. */
const FULL_BYTES = 256 * 1024;
/** So is everything when rows for this many groups have been begun. */
const MAX_ROWS = 1024;

/** Frames for one group; an empty name is everybody. */
interface Row {
  readonly group: string;
  frames: number;
  bytes: Buffer;
  readonly result: PromiseWithResolvers<SpreadResult>;
}

/** Counters since the start: what became of what was sent from here, each client and frame counted. */
export interface SpreadCounts {
  delivered: number;
  slow: number;
  /** Workers that did not answer, for each message. */
  failed: number;
}

export interface SpreaderOptions {
  delivery: Delivery;
  /** The workers that serve clients, this one aside. */
  gates(): readonly Peer[];
  /** Called when something begins to wait for the end of the turn. */
  wants(): void;
}

export class Spreader {
  readonly counts: SpreadCounts = { delivered: 0, slow: 0, failed: 0 };
  readonly #options: SpreaderOptions;
  readonly #out = new Writer();
  #rows: Row[] = [];

  constructor(options: SpreaderOptions) {
    this.#options = options;
  }

  /** The promise is never rejected, so it need not be looked at. */
  push(group: string, cmd: number, data: string | Uint8Array): Promise<SpreadResult> {
    let row = this.#rows.at(-1);
    if (row === undefined || row.group !== group || row.frames >= MAX_FRAMES) row = this.#begin(group);
    writePushFrame(this.#out, cmd, data);
    row.frames++;
    if (this.#out.length >= FULL_BYTES || this.#rows.length >= MAX_ROWS) this.flush();
    return row.result.promise;
  }

  #begin(group: string): Row {
    this.#finishRow();
    const row: Row = { group, frames: 0, bytes: Buffer.alloc(0), result: Promise.withResolvers() };
    if (this.#rows.push(row) === 1) this.#options.wants();
    return row;
  }

  #finishRow(): void {
    const row = this.#rows.at(-1);
    if (row !== undefined) row.bytes = this.#out.take();
  }

  /** Sends what has been gathered, in the order of the calls. */
  flush(): void {
    if (this.#rows.length === 0) return;
    this.#finishRow();
    const rows = this.#rows;
    this.#rows = [];
    const gates = this.#options.gates();
    for (const row of rows) this.#send(row, gates);
  }

  #send({ group, frames, bytes, result }: Row, gates: readonly Peer[]): void {
    const message = encodeSpread(group, bytes);
    const total = { delivered: 0, slow: 0, failed: 0 };
    let left = gates.length + 1;
    const done = () => {
      if (--left > 0) return;
      this.counts.delivered += total.delivered * frames;
      this.counts.slow += total.slow * frames;
      this.counts.failed += total.failed;
      result.resolve(total);
    };
    for (const gate of gates) {
      gate.ask(group === '' ? control.broadcast : control.groupPush, message, (fault, data) => {
        const answer = readAnswer(fault, data, spreadReply.decode);
        if (answer === undefined) total.failed++;
        else add(total, answer);
        done();
      });
    }
    add(total, this.#options.delivery.spread(group, decodeSpread(message).frames));
    done();
  }
}

function add(total: { delivered: number; slow: number }, { delivered, slow }: { delivered: number; slow: number }): void {
  total.delivered += delivered;
  total.slow += slow;
}
