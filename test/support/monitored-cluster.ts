// Two gates, a logic node and an operator under traffic, and a Prometheus that scrapes them with the labels that the chart's monitors give.

import type { TestContext } from 'node:test';
import { alerts } from '../../scripts/support/chart/alerts.ts';
import { startMonitoredOperator, type MonitoredOperator } from './monitored-operator.ts';
import { NodeProcesses, type NodeProcess } from './node-processes.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';
import { frame, RawClient } from './raw-client.ts';
import { until } from './until.ts';

export const CLUSTERS = ['demo', 'other'];

/** Logs in as a user. */
const BIND = 4001;
/** Is answered after as many milliseconds as are given. */
const SLOW = 2003;

interface Question {
  readonly command: number;
  readonly data: string;
  /** In so many rounds once: the lines of a picture are apart. */
  readonly every: number;
}

/** What each client asks, one after another: answered by the gate and by the logic node. */
const QUESTIONS: readonly Question[] = [
  { command: 1001, data: '', every: 1 },
  { command: 1003, data: '', every: 4 },
  { command: 2001, data: 'x'.repeat(100), every: 2 },
  { command: SLOW, data: '3', every: 3 },
  { command: 4003, data: 'user-1 hello', every: 5 },
];
/** What one client asks, too, and either refuses. */
const FAILING: readonly Question[] = [
  { command: 1007, data: 'this is no JSON', every: 2 },
  { command: 7001, data: 'nobody answers it', every: 4 },
];

export interface Monitored {
  readonly prometheus: Prometheus;
  readonly operator: MonitoredOperator;
  readonly gates: readonly NodeProcess[];
  readonly traffic: Traffic;
}

export async function startMonitored(t: TestContext): Promise<Monitored> {
  const operator = await startMonitoredOperator(t, CLUSTERS);
  const nodes = new NodeProcesses(t, { drain_ms: 10_000 });
  const gate = () => nodes.gate({ modules: ['test'], worker_cnt: 2 });
  const [logic, ...gates] = await Promise.all([nodes.logic({ worker_cnt: 1 }), gate(), gate()]);
  await nodes.settled();
  const pods = [...gates.map((node, index) => [`demo-gate-${index}`, node] as const), ['demo-logic-0', logic] as const];
  const prometheus = await startPrometheus(t, {
    rules: alerts,
    targets: [
      ...pods.map(([pod, { kim }]) => ({ address: kim.admin, labels: { namespace: 'shop', pod } })),
      { address: operator.address, labels: { namespace: 'ops', pod: 'kimserver-operator-0' }, honorLabels: true },
    ],
  });
  const traffic = new Traffic(gates);
  t.after(() => traffic.clients(0));
  return { prometheus, operator, gates, traffic };
}

export class Traffic {
  readonly #gates: NodeProcess[];
  #clients: Talker[] = [];
  #users = 0;
  #rounds = 0;

  constructor(gates: readonly NodeProcess[]) {
    this.#gates = [...gates];
  }

  /** So many clients are connected, spread over the gates; one in three logs in. */
  async clients(count: number): Promise<void> {
    this.#clients = this.#clients.filter(({ client }) => client.ended === undefined);
    for (const { client } of this.#clients.splice(count)) client.destroy();
    while (this.#clients.length < count) {
      const index = this.#clients.length;
      const talker = new Talker(await RawClient.connect(this.#gates[index % this.#gates.length]!.port));
      this.#clients.push(talker);
      if (index % 3 === 0) talker.ask(BIND, `user-${++this.#users}`);
    }
  }

  /** The gate is told to go: nobody comes to it any more, and one client waits for an answer for so long. */
  async leave(gate: NodeProcess, ms: number): Promise<void> {
    this.#gates.splice(this.#gates.indexOf(gate), 1);
    const last = await RawClient.connect(gate.port);
    await until(async () => (await last.request(SLOW, '1')).code === 0, 'the last client is served');
    last.write(frame(SLOW, 2, String(ms)));
    gate.kim.signal('SIGTERM');
  }

  /** Each client asks what is due; resolves when all is answered, or its connection has ended. */
  async round(): Promise<void> {
    const round = this.#rounds++;
    for (const [index, talker] of this.#clients.entries())
      for (const { command, data, every } of index === 0 ? [...QUESTIONS, ...FAILING] : QUESTIONS)
        if (round % every === 0) talker.ask(command, data);
    await until(() => this.#clients.every((talker) => talker.isSettled), 'all is answered');
  }
}

class Talker {
  readonly client: RawClient;
  #asked = 0;
  #answered = 0;

  constructor(client: RawClient) {
    this.client = client;
    // pushes have odd numbers
    client.onAnswer = ({ cmd }) => void (this.#answered += cmd % 2 === 0 ? 1 : 0);
  }

  get isSettled(): boolean {
    return this.client.ended !== undefined || this.#answered === this.#asked;
  }

  ask(command: number, data: string): void {
    if (this.client.ended === undefined) this.client.write(frame(command, ++this.#asked, data));
  }
}
