// Clients of ours with sessions, which go to another gate when theirs asks for it.

import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, createClient, type Client } from '../../../src/client/index.ts';
import { ECHO, PACE_MS, type CrowdOptions } from './originals.ts';
import { emptyTally, type Tally } from './tally.ts';

export class Ours {
  readonly tally: Tally = emptyTally();
  /** Right answers of each client. */
  readonly right: number[];
  readonly #clients: Client[];
  readonly #paceMs: number;
  readonly #running: Promise<void>[];
  readonly #stopped = new AbortController();
  #sessions: (string | undefined)[] = [];

  /** Resolves when all are connected. */
  static async connect(options: CrowdOptions): Promise<Ours> {
    const ours = new Ours(options);
    ours.#running.push(...ours.#clients.map((client, i) => ours.#live(client, i)));
    try {
      await Promise.all(ours.#clients.map((client) => client.connect()));
    } catch (error) {
      // nobody else could end those that are connected
      await ours.stop();
      throw error;
    }
    ours.#sessions = ours.#clients.map(({ session }) => session?.id);
    return ours;
  }

  private constructor({ host, port, clients, paceMs = PACE_MS }: CrowdOptions) {
    this.#paceMs = paceMs;
    this.right = Array.from({ length: clients }, () => 0);
    const reconnect = { minMs: 50, maxMs: 1000 };
    this.#clients = this.right.map(() => createClient({ host, port, hello: true, requestTimeoutMs: 15_000, reconnect }));
    this.#running = [];
    for (const client of this.#clients) {
      client.onMoved(({ resumed }) => this.tally[resumed ? 'moved' : 'anew']++);
      client.onState((state) => {
        if (state.name === 'disconnected' && !this.#stopped.signal.aborted) this.tally.resets.push(state.reason);
      });
    }
  }

  /** Clients whose session is another than in the beginning. */
  get strangers(): number {
    return this.#clients.filter(({ session }, i) => session?.id !== this.#sessions[i]).length;
  }

  async stop(): Promise<Tally> {
    this.#stopped.abort();
    await Promise.all(this.#running);
    await Promise.all(this.#clients.map((client) => client.close()));
    return this.tally;
  }

  async #live(client: Client, i: number): Promise<void> {
    const { signal } = this.#stopped;
    const rest = (ms: number) => pause(ms, undefined, { signal }).catch(() => undefined);
    await rest(Math.random() * this.#paceMs);
    for (let n = 1; !signal.aborted; n++) {
      const data = `${i} ${n}`;
      this.tally.sent++;
      try {
        const answer = await client.request(ECHO, data);
        if (answer.code !== 0) this.#fail(`${answer.code} ${answer.msg}`);
        else if (answer.text() !== data) this.tally.doubled++;
        else {
          this.tally.answered++;
          this.right[i]!++;
        }
      } catch (error) {
        this.#fail(error instanceof ClientError ? error.code : String(error));
      }
      await rest(this.#paceMs * (0.5 + Math.random()));
    }
  }

  #fail(why: string): void {
    this.tally.failed[why] = (this.tally.failed[why] ?? 0) + 1;
  }
}
