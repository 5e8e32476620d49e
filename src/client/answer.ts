// What came from the server: the reply to a request, or a push. Nothing is decoded before it is asked for.

import type { Body } from '../wire/body.ts';
import { AnswerError } from './error.ts';

export class Answer {
  readonly cmd: number;
  /** The number of the request that this answers; 0 in a push. */
  readonly seq: number;
  readonly #body: Body;

  constructor(cmd: number, seq: number, body: Body) {
    this.cmd = cmd;
    this.seq = seq;
    this.#body = body;
  }

  /** 0 is success; the others stand in docs/faults.md, or are the application's own. Pushes have 0. */
  get code(): number {
    return this.#body.result?.code ?? 0;
  }

  get ok(): boolean {
    return this.code === 0;
  }

  get msg(): string {
    return this.#body.result?.msg.toString() ?? '';
  }

  /** The application's bytes: a view into what was read from the socket, so copy what you keep for long. */
  get data(): Buffer {
    return this.#body.data;
  }

  /** Bytes that applications behind the gate added. */
  get addOn(): Buffer {
    return this.#body.addOn;
  }

  get traceId(): string {
    return this.#body.traceId;
  }

  /** `data` as UTF-8. */
  text(): string {
    return this.#body.data.toString();
  }

  /** `data` parsed as JSON; the type is the caller's promise. Throws with the beginning of what is no JSON. */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch (cause) {
      throw new Error(`the data of command ${this.cmd} is not JSON: ${JSON.stringify(this.text().slice(0, 60))}`, { cause });
    }
  }

  /** This answer if its code is 0; throws an AnswerError otherwise. */
  orThrow(): this {
    if (!this.ok) throw new AnswerError(this);
    return this;
  }
}
