// A worker of ours that opened a link to us, for what we ask and tell it on the same link.

import { Question } from '../cluster/question.ts';
import type { Answered, Peer } from '../cluster/peer.ts';
import type { Connection } from '../net/connection.ts';
import type { Outbox } from '../net/outbox.ts';
import { Pending } from '../net/pending.ts';
import type { Frame } from '../wire/frame.ts';

const ASK_MS = 3000;

export class IncomingPeer<Known = unknown> implements Peer {
  readonly id: string;
  readonly type: string;
  readonly isOurs = true;
  /** Clients that it has introduced, by the number that stands for each. */
  readonly known = new Map<number, Known>();
  readonly connection: Connection;
  readonly #outbox: Outbox;
  readonly #pending = new Pending<Question>();
  readonly #now: () => number;

  constructor(connection: Connection, id: string, type: string, outbox: Outbox, now: () => number) {
    this.connection = connection;
    this.id = id;
    this.type = type;
    this.#outbox = outbox;
    this.#now = now;
  }

  ask(cmd: number, data: Uint8Array, answered: Answered, timeoutMs = ASK_MS): void {
    const question = new Question(cmd, data, this.#now() + timeoutMs, answered);
    if (this.connection.state !== 'open') return question.failed('closed');
    this.#outbox.ask(this.connection, cmd, this.#pending.add(question), data);
  }

  tell(cmd: number, data: Uint8Array): void {
    this.#outbox.ask(this.connection, cmd, 0, data);
  }

  /** @internal */
  answered(frame: Frame): void {
    this.#pending.take(frame.seq)?.answered(frame);
  }

  /** @internal */
  sweep(now: number): void {
    for (const question of this.#pending) {
      if (question.deadline > now) continue;
      this.#pending.take(question.seq);
      question.failed('timeout');
    }
  }

  /** @internal */
  closed(): void {
    for (const question of this.#pending.takeAll()) question.failed('closed');
  }
}
