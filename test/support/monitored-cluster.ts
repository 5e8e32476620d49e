// Two gates, a logic node and an operator under traffic, and a Prometheus that scrapes them with the labels that the chart's monitors give.

import type { TestContext } from 'node:test';
import { alerts } from '../../scripts/support/chart/alerts.ts';
import { startMonitoredOperator, type MonitoredOperator } from './monitored-operator.ts';
import type { TestNode } from './node.ts';
import { TestCluster } from './nodes.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';
import { frame, type RawClient } from './raw-client.ts';
import { until } from './until.ts';

export const CLUSTERS = ['demo', 'other'];

/** What each client asks in a round, one after another: answered by the gate and by the logic node. */
const ROUND: readonly (readonly [command: number, data: string])[] = [
  [1001, ''],
  [1003, ''],
  [2001, 'x'.repeat(100)],
  [2003, '3'],
  [4003, 'user-1 hello'],
];
/** What one client asks, too, and either refuses. */
const FAILING: typeof ROUND = [
  [1007, 'this is no JSON'],
  [7001, 'nobody answers it'],
];
/** Logs in as a user. */
const BIND = 4001;

export interface Monitored {
  readonly prometheus: Prometheus;
  readonly operator: MonitoredOperator;
  readonly gates: readonly TestNode[];
  readonly traffic: Traffic;
}

export async function startMonitored(t: TestContext): Promise<Monitored> {
  const operator = await startMonitoredOperator(t, CLUSTERS);
  const logic = { modules: ['load.ts', 'social.ts'] };
  const gate = { modules: ['test'], worker_cnt: 2, drain_ms: 5000 };
  const cluster = await TestCluster.start(t, { logic, gate });
  const gates = [cluster.gate, await cluster.addGate(gate)];
  await cluster.settled();
  const pods = new Map([...gates.map((node, index) => [`demo-gate-${index}`, node] as const), ['demo-logic-0', cluster.logics[0]!]]);
  const prometheus = await startPrometheus(t, {
    rules: alerts,
    targets: [
      ...[...pods].map(([pod, { manager }]) => ({ address: new URL(manager.adminUrl!).host, labels: { namespace: 'shop', pod } })),
      { address: operator.address, labels: { namespace: 'ops', pod: 'kimserver-operator-0' }, honorLabels: true },
    ],
  });
  return { prometheus, operator, gates, traffic: new Traffic(gates) };
}

export class Traffic {
  readonly #gates: readonly TestNode[];
  readonly #clients: Talker[] = [];
  #users = 0;

  constructor(gates: readonly TestNode[]) {
    this.#gates = gates;
  }

  /** So many clients are connected, spread over the gates. */
  async clients(count: number): Promise<void> {
    for (const { client } of this.#clients.splice(count)) client.destroy();
    while (this.#clients.length < count) {
      const gate = this.#gates[this.#clients.length % this.#gates.length]!;
      const talker = new Talker(await gate.connect());
      this.#clients.push(talker);
      if (this.#clients.length % 2 === 0) talker.ask(BIND, `user-${++this.#users}`);
    }
  }

  /** Each client asks each question once; resolves when all is answered, or its connection has ended. */
  async round(): Promise<void> {
    for (const [index, talker] of this.#clients.entries())
      for (const [command, data] of index === 0 ? [...ROUND, ...FAILING] : ROUND) talker.ask(command, data);
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
