// A running "kim up" with a KimCluster of its own, on free ports.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderOf } from './kim.ts';
import { until } from './until.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** What may differ between the clusters of the tests; everything else is as in the quickstart. */
export interface ClusterShape {
  workers?: number | string;
  port?: number;
  nodePort?: number;
  modules?: string;
  gates?: number;
  /** Logic nodes with the modules test and echo; without them the gates answer by themselves. */
  logics?: number | undefined;
  more?: string;
  /** Where the gates' admin servers listen; another one needs a new process. */
  adminHost?: string;
}

export function clusterText({
  workers = 2,
  port = 0,
  nodePort = 0,
  modules = 'test, echo',
  gates = 1,
  logics,
  more = '',
  adminHost = '127.0.0.1',
}: ClusterShape = {}): string {
  const logic = `  logic: { replicas: ${logics}, nodePort: 0, admin: { port: 0 }, modules: [test, echo], drain: { seconds: 5 } }\n`;
  return `apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata:
  name: up-test
spec:
  gate:
    workers: ${workers}
    replicas: ${gates}
    listeners:
      - { name: client, port: ${port} }
    nodePort: ${nodePort}
    admin: { host: ${adminHost}, port: 0 }
    modules: [${logics === undefined ? modules : ''}]
    limits: { maxClients: 1000 }
    drain: { seconds: 5 }
${logics === undefined ? '' : logic}${more}`;
}

interface Row {
  node: string;
  pid: number;
  listeners: { kind: string; host: string; port: number }[];
  admin: string;
}

export class KimUp {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly lines: Record<string, unknown>[] = [];
  readonly errors: string[] = [];
  readonly #ended: Promise<number | null>;

  private constructor(t: TestContext, shape: ClusterShape) {
    // before the folder is removed, in which the nodes write
    t.after(async () => {
      if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
      await this.#ended;
      await until(() => this.family().length === 0, 'all processes of the cluster are gone');
    });
    this.folder = folderOf(t, { 'cluster.yaml': clusterText(shape) });
    const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_TEST_CONTEXT$|KIM_)/.test(name));
    // its own process group, as a shell gives it one: Ctrl-C reaches all of it
    this.child = spawn(process.execPath, [PROGRAM, 'up', 'cluster.yaml', '-o', 'json'], {
      cwd: this.folder,
      env: Object.fromEntries(kept),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#ended = once(this.child, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line) as Record<string, unknown>));
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.errors.push(line));
  }

  /** Starts it without waiting for anything. */
  static start(t: TestContext, shape: ClusterShape = {}): KimUp {
    return new KimUp(t, shape);
  }

  static async serving(t: TestContext, shape: ClusterShape = {}): Promise<KimUp> {
    const up = new KimUp(t, shape);
    const nodes = (shape.gates ?? 1) + (shape.logics ?? 0);
    await until(() => up.rows.length === nodes, 'kim up prints its table');
    return up;
  }

  get row(): Row | undefined {
    return this.lines.find((line) => 'listeners' in line) as Row | undefined;
  }

  /** What the table says of the nodes that it names. */
  get rows(): Row[] {
    return this.lines.filter((line) => 'listeners' in line) as unknown as Row[];
  }

  /** The port that all gates share. */
  get port(): number {
    return this.gatePorts(0)[0]!;
  }

  /** Ports on which clients reach a gate: the shared one first. */
  gatePorts(replica: number): number[] {
    const row = this.rows.find(({ node }) => node === `up-test-gate-${replica}`);
    return row!.listeners.filter(({ kind }) => kind === 'gate').map(({ port }) => port);
  }

  edit(shape: ClusterShape): void {
    writeFileSync(join(this.folder, 'cluster.yaml'), clusterText(shape));
  }

  editText(text: string): void {
    writeFileSync(join(this.folder, 'cluster.yaml'), text);
  }

  /** Waits for a line about a change. */
  said(pattern: RegExp): Promise<Record<string, unknown>> {
    return until(() => this.lines.find(({ text }) => pattern.test(String(text))), `it says ${pattern.source}`);
  }

  complained(pattern: RegExp): Promise<string> {
    return until(() => this.errors.find((line) => pattern.test(line)), `it complains ${pattern.source}`);
  }

  /** Managers and workers of this cluster that live, by what the system says of the process group. */
  family(): number[] {
    const group = String(this.child.pid);
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && name !== group)
      .filter((pid) => {
        try {
          const [state, , pgrp] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
          return pgrp === group && state !== 'Z';
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** What a terminal does with Ctrl-C: every process of the group gets it. */
  interrupt(): void {
    process.kill(-this.child.pid!, 'SIGINT');
  }

  ended(): Promise<number | null> {
    return this.#ended;
  }
}
