// Several hundred clients outside of the pods, of both kinds, while something happens to their gates.

import type { TestContext } from 'node:test';
import { until } from '../until.ts';
import type { Operated } from './operated.ts';
import { Originals } from './originals.ts';
import { Ours } from './ours.ts';
import { assertUnnoticed, tallyText } from './tally.ts';

const ORIGINALS = 150;
const OURS = 150;
const ANSWERS_MS = 60_000;

interface TrafficOptions {
  /** Clients of each kind. */
  readonly clients?: number;
  /** Which node they dial. */
  readonly node?: number;
}

export class Traffic {
  readonly originals: Originals;
  readonly ours: Ours;
  readonly #t: TestContext;
  #ending: Promise<unknown> | undefined;

  /** Resolves when all of them have been answered; they stop with the test at the latest. */
  static async start(t: TestContext, operated: Operated, name: string, { clients, node = 0 }: TrafficOptions = {}): Promise<Traffic> {
    const entry = { ...(await operated.entry(name)), host: operated.cluster.nodes[node]!.address };
    const originals = new Originals({ ...entry, clients: clients ?? ORIGINALS });
    let ours: Ours | undefined;
    t.after(() => Promise.all([originals.stop(), ours?.stop()]));
    ours = await Ours.connect({ ...entry, clients: clients ?? OURS });
    const traffic = new Traffic(t, originals, ours);
    await traffic.more(1);
    return traffic;
  }

  private constructor(t: TestContext, originals: Originals, ours: Ours) {
    this.#t = t;
    this.originals = originals;
    this.ours = ours;
  }

  /** Resolves when every client has `n` more right answers. */
  async more(n: number): Promise<void> {
    await Promise.all([this.answered('originals', n), this.answered('ours', n)]);
  }

  /** The same for one kind of them. */
  async answered(kind: 'originals' | 'ours', n: number): Promise<void> {
    const { right, tally } = this[kind];
    const before = [...right];
    const isDone = () => right.every((count, i) => count >= before[i]! + n);
    await until(isDone, `each client has ${n} more answers; ${tallyText(tally)}`, ANSWERS_MS);
  }

  stop(): Promise<unknown> {
    this.#ending ??= Promise.all([this.originals.stop(), this.ours.stop()]).then(() => {
      this.#t.diagnostic(`original clients: ${tallyText(this.originals.tally)}`);
      this.#t.diagnostic(`our clients: ${tallyText(this.ours.tally)}; sessions that changed: ${this.ours.strangers}`);
    });
    return this.#ending;
  }

  /** Ends it, and says that no client has noticed anything. */
  async unnoticed(): Promise<void> {
    const { strangers } = this.ours;
    await this.stop();
    assertUnnoticed('our clients', this.ours.tally);
    assertUnnoticed('original clients', this.originals.tally);
    if (strangers > 0) throw new Error(`${strangers} of our clients have lost their session`);
  }
}
