// The points of all members, made once in the manager and shipped to its workers (cluster/ring.ts says why).
//
// They are made in slices, so that neither the manager nor a worker stands still for long: a worker goes on with what it knew until the whole
// list of members follows the last of their points.

import { addressOf, type Member } from '../cluster/member.ts';
import { memberPoints, type MemberPoints } from '../cluster/ring.ts';
import type { Channel, ToWorker } from './channel.ts';

/** The points of one member on the channel between processes, in base64: a fifth of the time that numbers in JSON take. */
export interface ShippedPoints {
  readonly address: string;
  readonly workers: number;
  readonly points: string;
  readonly owners: string;
}

/** The least that a slice takes, in milliseconds; half a millisecond more when its last member is a large one. */
const SLICE_MS = 10;

type ToWorkers = Pick<Channel<ToWorker>, 'send'>;

export class RingPoints {
  readonly #workers: () => Iterable<ToWorkers>;
  readonly #now: () => number;
  readonly #known = new Map<string, ShippedPoints>();
  #wanted: readonly Member[] = [];
  #members: readonly Member[] = [];
  #making: PromiseWithResolvers<void> | undefined;

  /** `now` is in milliseconds. */
  constructor(workers: () => Iterable<ToWorkers>, now: () => number) {
    this.#workers = workers;
    this.#now = now;
  }

  /** Takes the list of members; the last one counts. What takes one slice is done at once. */
  replace(members: readonly Member[]): void {
    this.#wanted = members;
    if (this.#making === undefined) this.#slice();
  }

  /** Tells a worker that begins everything that the others know. */
  tellAll(worker: ToWorkers): void {
    worker.send({ type: 'points', points: [...this.#known.values()] });
    worker.send({ type: 'members', members: this.#members });
  }

  /** Resolves when the last list is done. */
  async settled(): Promise<void> {
    await this.#making?.promise;
  }

  readonly #slice = (): void => {
    const until = this.#now() + SLICE_MS;
    const made: ShippedPoints[] = [];
    let isDone = true;
    for (const member of this.#wanted) {
      const address = addressOf(member);
      if (this.#known.get(address)?.workers === member.workers) continue;
      if (made.length > 0 && this.#now() >= until) {
        isDone = false;
        break;
      }
      const points = packed(memberPoints(address, member.workers));
      this.#known.set(address, points);
      made.push(points);
    }
    if (made.length > 0) this.#tell({ type: 'points', points: made });
    if (!isDone) {
      this.#making ??= Promise.withResolvers();
      setImmediate(this.#slice);
      return;
    }
    this.#members = this.#wanted;
    const addresses = new Set(this.#members.map(addressOf));
    for (const address of this.#known.keys()) if (!addresses.has(address)) this.#known.delete(address);
    this.#tell({ type: 'members', members: this.#members });
    this.#making?.resolve();
    this.#making = undefined;
  };

  #tell(message: ToWorker): void {
    for (const worker of this.#workers()) worker.send(message);
  }
}

function packed({ address, workers, points, owners }: MemberPoints): ShippedPoints {
  return { address, workers, points: Buffer.from(points.buffer).toString('base64'), owners: Buffer.from(owners.buffer).toString('base64') };
}

/** The points as they were made: both ends are on one machine, so their bytes are in one order. */
export function unpacked({ address, workers, points, owners }: ShippedPoints): MemberPoints {
  return { address, workers, points: new Uint32Array(bytesOf(points)), owners: new Uint16Array(bytesOf(owners)) };
}

/** In a buffer of their own: slices of a shared one need not begin where numbers may. */
function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
}
