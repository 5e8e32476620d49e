// A cluster for a test: nodes of several types in real processes that find each other through a folder.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startNode, type TestNode } from './node.ts';
import { until } from './until.ts';

/** Every request of a client that no module of the gate answers goes to a logic node, the same one for the same client. */
export const ROUTE = { commands: '1000-', to: 'logic', key: 'session', retry: 'ifNotSent' };

export class TestCluster {
  readonly folder: string;
  readonly #t: TestContext;
  readonly #nodes: TestNode[] = [];
  #count = 0;

  constructor(t: TestContext) {
    this.#t = t;
    this.folder = mkdtempSync(join(tmpdir(), 'kim-cluster-'));
    t.after(async () => {
      await Promise.all(this.#nodes.map((node) => node.end()));
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** A gate and as many logic nodes as asked for, that know each other. */
  static async start(
    t: TestContext,
    { logics = 1, gate = {}, logic = {} }: ClusterShape = {},
  ): Promise<TestCluster & { gate: TestNode; logics: TestNode[] }> {
    const cluster = new TestCluster(t);
    const nodes = await Promise.all(Array.from({ length: logics }, () => cluster.addLogic(logic)));
    const first = await cluster.addGate(gate);
    await cluster.settled();
    return Object.assign(cluster, { gate: first, logics: nodes });
  }

  addLogic(raw: Record<string, unknown> = {}): Promise<TestNode> {
    return this.add({ node_type: 'logic', gate_host: '', modules: ['load.ts', 'test'], ...raw });
  }

  addGate(raw: Record<string, unknown> = {}): Promise<TestNode> {
    return this.add({ node_type: 'gate', modules: [], routes: [ROUTE], ...raw });
  }

  async add(raw: Record<string, unknown>): Promise<TestNode> {
    const name = `kim-test-${++this.#count}`;
    const node = await startNode(this.#t, { server_name: name, node_host: '127.0.0.1', node_port: 0, directory_path: this.folder, ...raw });
    this.#nodes.push(node);
    return node;
  }

  /** Waits until every node that serves knows all of them. */
  async settled(): Promise<void> {
    const serving = () => this.#nodes.filter(({ manager }) => manager.state === 'serving');
    await until(
      () => serving().every(({ manager }) => manager.membership.members.length === serving().length),
      'all nodes know each other',
    );
  }
}

export interface ClusterShape {
  logics?: number;
  gate?: Record<string, unknown>;
  logic?: Record<string, unknown>;
}
