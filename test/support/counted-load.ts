// Load that counts what became of every request while something fails: answered, failed with a code, or cut off with the connection of a gate
// that was killed. Whatever else happened to one is unexplained.

import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, createClient, type Client } from '../../src/client/index.ts';
import { request } from './frames.ts';
import { until } from './until.ts';
import { WireClient } from './wire-client.ts';

/** What a client is told of a request whose logic worker answered with nonsense, could not be reached, answered too late or is gone. */
const EXPLAINED = [11, 14, 18, 20];
const FAILED = 'relay to node failed!';
/** What our client says of a request when its connection was lost, could not be made, or nothing came in time. */
const CLEAR = ['closed', 'connect', 'timeout'];
/** Between two batches of a client, so that a few of them leave room for whatever else runs. */
const PACE_MS = 15;

export interface Counts {
  sent: number;
  /** With what was sent, under its own number, in order. */
  answered: number;
  /** By code, or by word where our client gave up. */
  failed: Record<string, number>;
  /** Without an answer when the connection ended of a client that was told to expect it. */
  ended: number;
  unexplained: string[];
}

interface LoadOptions {
  /** 127.0.0.1 if not given. */
  host?: string;
  clients?: number;
  /** Requests in flight of each client. */
  depth?: number;
  /** What is asked: a command that answers with what it got. */
  cmd?: number;
}

abstract class Load {
  readonly counts: Counts = { sent: 0, answered: 0, failed: {}, ended: 0, unexplained: [] };
  protected isStopped = false;
  protected readonly cmd: number;
  protected running: Promise<void>[] = [];
  /** Right answers of each client that still asks. */
  protected readonly right = new Map<object, number>();

  constructor({ cmd = 1101 }: LoadOptions) {
    this.cmd = cmd;
  }

  get failures(): number {
    return Object.values(this.counts.failed).reduce((sum, n) => sum + n, 0);
  }

  /** Resolves when every client whose connection has not ended has `n` more right answers: whatever failed before works again for all. */
  async more(n: number): Promise<void> {
    const before = new Map(this.right);
    const isDone = () => [...this.right].every(([client, count]) => count >= (before.get(client) ?? 0) + n);
    await until(() => isDone() || this.counts.unexplained.length > 0, `${n} more answers for each client; ${JSON.stringify(this.counts)}`);
    this.check();
  }

  /** Asks nothing more; resolves when everything that was asked has its end. Throws if anything is unexplained. */
  async stop(): Promise<Counts> {
    this.isStopped = true;
    await Promise.all(this.running);
    await this.close();
    this.check();
    const { sent, answered, ended } = this.counts;
    if (sent !== answered + ended + this.failures) throw new Error(`the counts do not add up: ${JSON.stringify(this.counts)}`);
    return this.counts;
  }

  check(): void {
    if (this.counts.unexplained.length > 0) throw new Error(`unexplained: ${this.counts.unexplained.slice(0, 5).join('; ')}`);
  }

  protected abstract close(): Promise<void>;

  protected rightAnswer(client: object): void {
    this.counts.answered++;
    this.right.set(client, this.right.get(client)! + 1);
  }

  protected failedWith(code: number, msg: string, data: string): void {
    if (EXPLAINED.includes(code) && msg === FAILED) this.fail(code);
    else this.counts.unexplained.push(`"${data}" got code ${code} ${JSON.stringify(msg)}`);
  }

  protected fail(why: number | string): void {
    this.counts.failed[why] = (this.counts.failed[why] ?? 0) + 1;
  }
}

/** Clients that know no more than frames: batch after batch, the answers in order. */
export class WireLoad extends Load {
  readonly clients: WireClient[];
  readonly #depth: number;
  /** Their gate is about to be killed. */
  mayEnd = false;

  static async start(port: number, options: LoadOptions = {}): Promise<WireLoad> {
    const { host = '127.0.0.1', clients = 8 } = options;
    return new WireLoad(await Promise.all(Array.from({ length: clients }, () => WireClient.connect(port, { host }))), options);
  }

  private constructor(clients: WireClient[], options: LoadOptions) {
    super(options);
    this.clients = clients;
    this.#depth = options.depth ?? 4;
    for (const client of clients) this.right.set(client, 0);
    this.running = clients.map((client, i) => this.#run(client, i));
  }

  /** Clients whose connection is there. */
  get open(): number {
    return this.clients.filter(({ ended, closed }) => !ended && !closed).length;
  }

  async #run(client: WireClient, i: number): Promise<void> {
    for (let seq = 1; !this.isStopped; seq += this.#depth) {
      const batch = Array.from({ length: this.#depth }, (_, k) => ({ seq: seq + k, data: `${i} ${seq + k}` }));
      client.send(...batch.map((each) => request(this.cmd, each.seq, each.data)));
      this.counts.sent += batch.length;
      for (const [k, each] of batch.entries()) {
        let frame;
        try {
          frame = await client.frame();
        } catch (error) {
          return this.#over(client, batch.length - k, `client ${i}, request ${each.seq}: ${(error as Error).message}`);
        }
        if (frame.cmd !== this.cmd + 1 || frame.seq !== each.seq) {
          const text = `client ${i} got ${frame.cmd} with seq ${frame.seq} for request ${each.seq}`;
          return this.#over(client, batch.length - k, text, true);
        }
        if (frame.code !== 0) this.failedWith(frame.code, frame.msg, each.data);
        else if (frame.data === each.data) this.rightAnswer(client);
        else this.counts.unexplained.push(`client ${i} got "${frame.data}" for "${each.data}"`);
      }
      await pause(PACE_MS);
    }
  }

  #over(client: WireClient, left: number, why: string, isWrong = false): void {
    this.right.delete(client);
    if (this.mayEnd && !isWrong && (client.ended || client.closed)) this.counts.ended += left;
    else this.counts.unexplained.push(why);
  }

  protected close(): Promise<void> {
    for (const client of this.clients) client.destroy();
    return Promise.resolve();
  }
}

/** Clients of ours, which connect again by themselves. */
export class ClientLoad extends Load {
  readonly clients: Client[];
  /** How often one of them was connected. */
  connected = 0;

  constructor(port: number, options: LoadOptions = {}) {
    super(options);
    const reconnect = { minMs: 20, maxMs: 200 };
    const make = () => createClient({ host: options.host ?? '127.0.0.1', port, hello: 'auto', requestTimeoutMs: 8000, reconnect });
    this.clients = Array.from({ length: options.clients ?? 8 }, make);
    for (const client of this.clients) {
      this.right.set(client, 0);
      client.onState(({ name }) => {
        if (name === 'connected') this.connected++;
      });
    }
    const lanes = Array.from({ length: options.depth ?? 3 });
    this.running = this.clients.flatMap((client, i) => lanes.map((_, k) => this.#run(client, `${i}.${k}`)));
  }

  async #run(client: Client, name: string): Promise<void> {
    for (let n = 0; !this.isStopped; n++) {
      const data = `${name} ${n}`;
      this.counts.sent++;
      try {
        const answer = await client.request(this.cmd, data);
        if (answer.code !== 0) this.failedWith(answer.code, answer.msg, data);
        else if (answer.text() === data) this.rightAnswer(client);
        else this.counts.unexplained.push(`"${data}" got "${answer.text()}"`);
      } catch (error) {
        if (error instanceof ClientError && CLEAR.includes(error.code)) this.fail(error.code);
        else this.counts.unexplained.push(`"${data}": ${String(error)}`);
      }
      await pause(PACE_MS);
    }
  }

  protected async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }
}
