// A whole node for a test: manager in this process, real workers, free ports. It is drained at the end, and its workers must leave nothing held.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseNodeConfig, type NodeConfig } from '../../src/config/node-config.ts';
import { Manager } from '../../src/node/manager.ts';
import type { Left } from '../../src/node/pool.ts';
import { createLogger } from '../../src/ops/log.ts';
import type { NodeStatus } from '../../src/ops/snapshot.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** Where the modules of these tests are. */
export const MODULES = fileURLToPath(new URL('../node/modules', import.meta.url));

const DEFAULTS = {
  server_name: 'kim-test',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  admin_port: 0,
  worker_cnt: 1,
  modules: ['load.ts'],
  log_level: 'fatal',
  drain_ms: 400,
};

/** The configuration of a test node; `raw` has keys as in a file. */
export function testConfig(raw: Record<string, unknown> = {}): NodeConfig {
  return parseNodeConfig({ ...DEFAULTS, ...raw }, 'test').config;
}

export class TestNode {
  readonly manager: Manager;
  readonly #clients: RawClient[] = [];
  /** The workers that left in order, with what each still held. */
  readonly left: Left[];
  /** Lines of the manager's log. */
  readonly log: string[];
  #ended = false;

  constructor(manager: Manager, left: Left[], log: string[]) {
    this.manager = manager;
    this.left = left;
    this.log = log;
  }

  get port(): number {
    return this.#port('gate');
  }

  get nodePort(): number {
    return this.#port('node');
  }

  async connect(port = this.port): Promise<RawClient> {
    const client = await RawClient.connect(port);
    this.#clients.push(client);
    return client;
  }

  connectAll(count: number): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.connect()));
  }

  /** Clients that the test opened otherwise and that shall be gone before the node is drained. */
  adopt(client: RawClient): RawClient {
    this.#clients.push(client);
    return client;
  }

  /** GET of an admin page, as text. */
  async get(path: string): Promise<string> {
    return (await fetch(new URL(path, this.manager.adminUrl))).text();
  }

  async post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, this.manager.adminUrl), { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async status(): Promise<NodeStatus> {
    return JSON.parse(await this.get('/status')) as NodeStatus;
  }

  /** Polls /status until `fits` says so. */
  statusWhen(fits: (status: NodeStatus) => boolean, what: string): Promise<NodeStatus> {
    return until(async () => {
      const status = await this.status();
      return fits(status) ? status : undefined;
    }, what);
  }

  /** The processes of workers that serve, by their number. */
  pids(): number[] {
    return this.manager.pool.serving().map((worker) => worker.child.pid!);
  }

  /** Drains the node; every worker that leaves must hold nothing. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    for (const client of this.#clients) client.destroy();
    await this.manager.drain();
    this.assertNothingHeld();
  }

  assertNothingHeld(): void {
    for (const { worker, ledger } of this.left) {
      const held = Object.entries(ledger).filter(([, account]) => account.held !== 0 || account.bytes !== 0);
      assert.deepEqual(held, [], `worker ${worker} left and still held something`);
    }
  }

  #port(kind: string): number {
    const listener = this.manager.listeners().find((candidate) => candidate.kind === kind);
    if (listener === undefined) throw new Error(`this node has no ${kind} port`);
    return listener.port;
  }
}

/** Starts a node with the keys of `raw`; it is drained, and its ledgers are looked at, when the test ends. */
export async function startNode(t: TestContext, raw: Record<string, unknown> = {}, folder = MODULES): Promise<TestNode> {
  const left: Left[] = [];
  const lines: string[] = [];
  const log = createLogger({ name: 'kim-test', level: 'info', write: (line) => void lines.push(line) });
  const manager = await Manager.start({ config: testConfig(raw), folder, version: '0', log, onLeft: (worker) => void left.push(worker) });
  const node = new TestNode(manager, left, lines);
  t.after(() => node.end());
  return node;
}
