// A client that keeps to the rules while others do not: every request gets its reply, with the right content, and soon.

import { createClient, type Answer, type Client } from '../../src/client/index.ts';
import { Random } from './random.ts';

const HELLO = 1001;
const ECHO = 1101;
/** Requests at once. */
const DEPTH = 4;
/** A reply that takes longer counts as lost. */
const REPLY_MS = 20_000;

export interface HonestReport {
  requests: number;
  replies: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  problems: string[];
}

export class Honest {
  readonly #client: Client;
  readonly #random: Random;
  readonly #times: number[] = [];
  readonly #problems: string[] = [];
  #requests = 0;
  #replies = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  /** `number` tells honest clients apart. */
  constructor(port: number, seed: number, number: number) {
    // a connection that is lost is a failure, not something to mend
    this.#client = createClient({ host: '127.0.0.1', port, reconnect: false, requestTimeoutMs: REPLY_MS });
    this.#random = new Random(seed, -1 - number);
    this.#client.onState((state) => {
      if (state.name === 'disconnected') this.#problem(`the connection was lost: ${state.reason}`);
    });
  }

  async start(): Promise<void> {
    await this.#client.connect();
    this.#running = Promise.all(Array.from({ length: DEPTH }, () => this.#run()));
  }

  async stop(): Promise<HonestReport> {
    this.#stopped = true;
    await this.#running;
    await this.#client.close();
    const times = this.#times.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 100) / 100;
    return {
      requests: this.#requests,
      replies: this.#replies,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: Math.round((times.at(-1) ?? 0) * 100) / 100,
      problems: this.#problems,
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const n = ++this.#requests;
      const text = n % 2 === 0 ? `honest ${n}` : `honest ${n} ${'x'.repeat(this.#random.below(2000))}`;
      const cmd = n % 4 === 0 ? HELLO : ECHO;
      const begin = performance.now();
      try {
        this.#check(n, cmd, text, await this.#client.request(cmd, text));
      } catch (error) {
        this.#problem(`request ${n}: ${(error as Error).message}`);
        return;
      }
      this.#times.push(performance.now() - begin);
    }
  }

  #check(n: number, cmd: number, text: string, answer: Answer): void {
    this.#replies++;
    const wanted = cmd === HELLO ? 'good job!' : text;
    if (answer.cmd === cmd + 1 && answer.ok && answer.msg === 'ok' && answer.text() === wanted) return;
    this.#problem(
      `request ${n}: the reply is command ${answer.cmd}, code ${answer.code}, "${answer.text().slice(0, 60)}", not "${wanted.slice(0, 60)}"`,
    );
  }

  #problem(text: string): void {
    if (!this.#stopped) this.#problems.push(`honest client: ${text}`);
  }
}
