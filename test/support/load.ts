// Clients that keep a node busy while a test changes something about it, and that notice everything that a client could notice.

import { frame, type Answer, type RawClient } from './raw-client.ts';
import type { TestNode } from './node.ts';
import { until } from './until.ts';

const DEPTH = 50;
const SLOW_DEPTH = 3;
const PACE_MS = 20;
const MAX_SLOW_MS = 30;
/** More than this many complaints say nothing new. */
const MAX_COMPLAINTS = 10;

/** What clients saw. Nothing is lost when `answered` is `sent`, nothing doubled or mixed up when there are no complaints. */
export interface LoadReport {
  clients: number;
  sent: number;
  answered: number;
  complaints: string[];
}

export interface LoadOptions {
  /** Clients with 50 requests in flight, their frames cut at random places. */
  pipelined?: number;
  /** Clients that said something once, and have a session from then on. */
  idle?: number;
  /** Clients whose requests take up to 30 ms each. */
  slow?: number;
  seed?: number;
}

/** Numbers below 1 that are the same in each run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Load {
  readonly #node: TestNode;
  readonly #random: () => number;
  readonly #workers: LoadClient[] = [];
  readonly #idle: { client: RawClient; id: string }[] = [];
  readonly #complaints: string[] = [];
  #sent = 0;
  #answered = 0;

  static async start(node: TestNode, { pipelined = 0, idle = 0, slow = 0, seed = 1 }: LoadOptions): Promise<Load> {
    const load = new Load(node, seed);
    await Promise.all([
      ...Array.from({ length: pipelined }, () => load.#begin(2001, DEPTH)),
      ...Array.from({ length: slow }, () => load.#begin(2003, SLOW_DEPTH)),
      ...Array.from({ length: idle }, () => load.#beginIdle()),
    ]);
    return load;
  }

  private constructor(node: TestNode, seed: number) {
    this.#node = node;
    this.#random = randomOf(seed);
  }

  /** Resolves when every busy client has had `n` more answers: whatever was changed before is behind all of them. */
  async more(n = 100): Promise<void> {
    const wanted = this.#workers.map((worker) => worker.answered + (worker.depth === DEPTH ? n : Math.ceil(n / 20)));
    await until(
      () => this.#workers.every((worker, i) => worker.isOver || worker.answered >= wanted[i]!),
      `all clients have ${n} more answers`,
    );
  }

  /** Stops asking, waits for the answers that are due, and looks after the idle ones. */
  async stop(): Promise<LoadReport> {
    for (const worker of this.#workers) worker.stop();
    await until(() => this.#workers.every((worker) => worker.isOver || worker.isSettled), 'all requests are answered');
    for (const { client, id } of this.#idle) {
      if (client.ended !== undefined) continue;
      const seen = await this.#visit(client);
      if (seen.id !== id) this.#complain(`an idle client was ${id} and is ${seen.id}`);
      if (seen.count !== 2) this.#complain(`the session of ${id} counts ${seen.count} requests`);
      if (client.answers.length > 0) this.#complain(`${id} got ${client.answers.length} answers to nothing`);
    }
    return {
      clients: this.#workers.length + this.#idle.length,
      sent: this.#sent + this.#workers.reduce((sum, { sent }) => sum + sent, 0),
      answered: this.#answered + this.#workers.reduce((sum, { answered }) => sum + answered, 0),
      complaints: this.#complaints,
    };
  }

  async #begin(cmd: number, depth: number): Promise<void> {
    const client = await this.#connect();
    this.#workers.push(new LoadClient(client, cmd, depth, this.#random, (text) => this.#complain(text)));
  }

  async #beginIdle(): Promise<void> {
    const client = await this.#connect();
    const { id } = await this.#visit(client);
    this.#idle.push({ client, id });
  }

  async #connect(): Promise<RawClient> {
    const client = await this.#node.connect();
    void client.closed.then((how) => {
      if (how !== 'closed here') this.#complain(`a client was closed (${how})`);
    });
    return client;
  }

  async #visit(client: RawClient): Promise<{ count: number; id: string }> {
    this.#sent++;
    const { data } = await client.request(2005);
    this.#answered++;
    return JSON.parse(data) as { count: number; id: string };
  }

  #complain(text: string): void {
    if (this.#complaints.length < MAX_COMPLAINTS) this.#complaints.push(text);
  }
}

class LoadClient {
  readonly depth: number;
  sent = 0;
  answered = 0;
  readonly #client: RawClient;
  readonly #cmd: number;
  readonly #random: () => number;
  readonly #complain: (text: string) => void;
  readonly #due: { seq: number; data: string }[] = [];
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: RawClient, cmd: number, depth: number, random: () => number, complain: (text: string) => void) {
    this.#client = client;
    this.#cmd = cmd;
    this.depth = depth;
    this.#random = random;
    this.#complain = complain;
    client.onAnswer = (answer) => this.#check(answer);
    this.#fill();
  }

  get isOver(): boolean {
    return this.#client.ended !== undefined;
  }

  get isSettled(): boolean {
    return this.#due.length === 0 && this.#timer === undefined;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sends what is missing to the depth in two writes that cut a frame somewhere, and again a little later. */
  #fill(): void {
    this.#timer = undefined;
    if (this.isOver || this.#stopped) return;
    const frames: Buffer[] = [];
    while (this.#due.length < this.depth) {
      const seq = ++this.sent;
      const data = `${Math.ceil(this.#random() * MAX_SLOW_MS)} ${seq} ${'x'.repeat(this.#random() * 200)}`;
      this.#due.push({ seq, data });
      frames.push(frame(this.#cmd, seq, data));
    }
    const bytes = Buffer.concat(frames);
    const cut = Math.floor(this.#random() * bytes.length);
    this.#client.write(bytes.subarray(0, cut));
    this.#timer = setTimeout(() => {
      if (!this.isOver) this.#client.write(bytes.subarray(cut));
      this.#timer = setTimeout(() => this.#fill(), PACE_MS / 2);
    }, this.#random() * PACE_MS);
  }

  #check(answer: Answer): void {
    this.answered++;
    const wanted = this.#due.shift();
    if (wanted === undefined) return this.#complain(`answer ${answer.seq} to nothing`);
    const right = answer.cmd === this.#cmd + 1 && answer.seq === wanted.seq && answer.code === 0 && answer.data === wanted.data;
    if (!right) this.#complain(`request ${wanted.seq} "${wanted.data}" got ${JSON.stringify(answer)}`);
  }
}
