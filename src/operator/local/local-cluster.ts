// Runs a KimCluster as processes on this machine, and makes what runs equal to what the file says.

import { addressText } from '../../config/address.ts';
import { plan, type Action, type Workload } from '../plan/workloads.ts';
import { LocalPorts, type Bind } from './local-ports.ts';
import { NodeProcess } from './node-process.ts';

/** A node that ends by itself is started again after this, doubled each time up to the other. */
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;

export interface LocalClusterOptions {
  folder: string;
  program: string;
  bind: Bind;
  /** One line about something that changed. */
  say(node: string, text: string): void;
}

export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #ports: LocalPorts;
  #wanted: readonly Workload[] = [];
  readonly #nodes = new Map<string, NodeProcess>();
  /** Those that drain; a new one of the same name may run already. */
  readonly #leaving = new Set<NodeProcess>();
  readonly #failures = new Map<string, number>();
  readonly #restarts = new Map<string, NodeJS.Timeout>();
  #isUp = false;
  #ending = false;
  #emptied: (() => void)[] = [];

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.#ports = new LocalPorts(options.bind);
  }

  get nodes(): readonly NodeProcess[] {
    return [...this.#nodes.values()];
  }

  /** Does everything that is needed; goes on with the rest when one node fails, and throws what failed at the end. */
  async apply(wanted: readonly Workload[]): Promise<void> {
    const problems: string[] = [];
    this.#wanted = wanted;
    for (const action of plan(
      this.nodes.map(({ workload }) => workload),
      wanted,
    )) {
      try {
        await this.#do(action);
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    this.#keepPorts();
    this.#isUp = true;
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  async #do(action: Action): Promise<void> {
    const { say } = this.#options;
    const { name } = action.workload;
    const node = this.#nodes.get(name);
    // one that crashed and waits to be started again is started with what is wanted now
    if (action.kind === 'start' || (action.kind !== 'stop' && node?.pid === undefined)) return this.#start(action.workload);
    if (action.kind === 'stop') {
      say(name, `drains and ends (at most ${action.workload.config.drain_ms / 1000} s)`);
      return this.#drain(name);
    }
    const what = action.changes.map(({ key, from, to }) => `${key} ${JSON.stringify(from)} -> ${JSON.stringify(to)}`).join(', ');
    if (action.kind === 'change') {
      await node?.change(action.workload);
      say(
        name,
        `${what} (${action.changes.some(({ apply }) => apply === 'roll') ? 'workers replaced one by one' : 'live'}, no connection closed)`,
      );
      return;
    }
    say(name, `${what} (needs a new process; the old one drains)`);
    // both accept for a moment, so that nobody is refused in between
    await this.#start(action.workload);
    if (node !== undefined) await this.#leave(node, true);
  }

  /** Ports that nobody wants any more are given up; those of nodes that failed to change stay. */
  #keepPorts(): void {
    this.#ports.keep([...this.#wanted, ...this.nodes.map(({ workload }) => workload)].flatMap(({ ports }) => ports));
  }

  async #start(workload: Workload): Promise<void> {
    clearTimeout(this.#restarts.get(workload.name));
    const before = this.#nodes.get(workload.name);
    for (const leaving of this.#leaving) if (leaving.workload.name === workload.name) await leaving.freePorts();
    const node = new NodeProcess({
      workload,
      ports: await this.#ports.take(workload.ports),
      folder: this.#options.folder,
      program: this.#options.program,
      ended: (ended, how) => this.#ended(ended, how),
    });
    this.#nodes.set(workload.name, node);
    try {
      await node.start();
      this.#failures.delete(workload.name);
      const where = node.started?.listeners.map(
        ({ kind, host, port }) => `${kind === 'gate' ? 'clients' : 'nodes'} ${addressText(host, port)}`,
      );
      // what is there from the beginning stands in the table
      if (this.#isUp) this.#options.say(workload.name, `serves (${where?.join(', ')})`);
    } catch (error) {
      if (this.#nodes.get(workload.name) === node) {
        if (before === undefined) this.#nodes.delete(workload.name);
        else this.#nodes.set(workload.name, before);
      }
      throw error;
    }
  }

  async #drain(name: string): Promise<void> {
    clearTimeout(this.#restarts.get(name));
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#nodes.delete(name);
    // whoever dials a port that only this node had is refused from now on
    if (!this.#ending) this.#keepPorts();
    await this.#leave(node, false);
  }

  async #leave(node: NodeProcess, isReplaced: boolean): Promise<void> {
    if (node.pid === undefined) return;
    this.#leaving.add(node);
    await node.drain(isReplaced);
  }

  #ended(node: NodeProcess, how: string): void {
    const { name } = node.workload;
    this.#leaving.delete(node);
    if (this.#leaving.size === 0 && this.nodes.every(({ pid }) => pid === undefined))
      for (const emptied of this.#emptied.splice(0)) emptied();
    if (node.leaving || this.#ending || node.started === undefined) {
      if (node.leaving && !this.#ending) this.#options.say(name, 'ended');
      return;
    }
    this.#again(node.workload, `ended unexpectedly (${how})`);
  }

  #again(workload: Workload, why: string): void {
    const { name } = workload;
    const failures = this.#failures.get(name) ?? 0;
    this.#failures.set(name, failures + 1);
    const delay = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** failures);
    this.#options.say(name, `${why}; started again in ${delay / 1000} s`);
    this.#restarts.set(
      name,
      setTimeout(() => {
        if (this.#ending) return;
        this.#start(workload).catch((error: unknown) => this.#again(workload, `does not start: ${(error as Error).message}`));
      }, delay),
    );
  }

  /** Ends all nodes without losing what is in flight; resolves when the last process is gone. */
  async drain(): Promise<void> {
    this.#ending = true;
    for (const timer of this.#restarts.values()) clearTimeout(timer);
    this.#ports.keep([]);
    const names = [...this.#nodes.keys()];
    await Promise.all(names.map((name) => this.#drain(name)));
    if (this.#leaving.size > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** Ends all processes now. Workers leave by themselves when their managers are gone. */
  kill(): void {
    this.#ending = true;
    for (const timer of this.#restarts.values()) clearTimeout(timer);
    for (const node of [...this.#nodes.values(), ...this.#leaving]) node.kill();
  }
}
