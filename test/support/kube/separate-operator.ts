// Starts operators in processes of their own: to see what they cost, and to have them die.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { root, runScript } from '../../../scripts/support/project.ts';
import type { KubeConfigOptions } from '../../../src/kube/config.ts';
import type { ControlPlane } from './control-plane.ts';
import type { ProcessSettings } from './operator-process.ts';

/** What an operator says of itself, and the kernel of its process. Counts are since it started. */
export interface Looked {
  readonly reconciles: number;
  readonly errors: number;
  /** By method. */
  readonly requests: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly rssMib: number;
}

const PROGRAM = 'test/support/kube/operator-process.ts';
const COMPILE_MS = 120_000;

/** The program as it is installed: to compile types away while it runs takes more memory than all that it does then. It goes with the test. */
export async function compiledOperator(t: TestContext): Promise<string> {
  // packages are found from there
  const folder = mkdtempSync(join(root, 'node_modules', '.kim-operator-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const compilerOptions = { noEmit: false, rootDir: root, outDir: folder, typeRoots: [join(root, 'node_modules/@types')] };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files: [join(root, PROGRAM)], include: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const { code, output } = await runScript('node_modules/.bin/tsc', ['-p', folder], { timeoutMs: COMPILE_MS });
  if (code !== 0) throw new Error(`the operator does not compile:\n${output}`);
  return join(folder, PROGRAM.replace(/ts$/, 'js'));
}

export class SeparateOperator {
  /** The signal that ended it, when it has ended. */
  readonly ended: Promise<NodeJS.Signals | null>;
  readonly #child: ChildProcess;
  readonly #ports: readonly number[];

  /** Resolves when it listens; it stops with the test at the latest. `program` is what compiledOperator made; default: the sources. */
  static async start(t: TestContext, settings: ProcessSettings, program = `${root}/${PROGRAM}`): Promise<SeparateOperator> {
    const child = fork(program, [JSON.stringify(settings)]);
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    t.after(async () => {
      if (child.connected) child.disconnect();
      await exit;
      if (settings.kube.account !== undefined) rmSync(settings.kube.account, { recursive: true });
    });
    const [{ ports }] = (await once(child, 'message')) as [{ ports: number[] }];
    return new SeparateOperator(child, ports, exit);
  }

  private constructor(child: ChildProcess, ports: readonly number[], exit: Promise<[number | null, NodeJS.Signals | null]>) {
    this.#child = child;
    this.#ports = ports;
    this.ended = exit.then(([, signal]) => signal);
  }

  async look(): Promise<Looked> {
    const page = await (await fetch(`http://127.0.0.1:${this.#ports[1]}/metrics`)).text();
    const values = (name: string) => [...page.matchAll(new RegExp(`^${name}(?:\\{([^}]*)\\})? (\\d+)`, 'gm'))];
    const total = (name: string) => values(name).reduce((sum, [, , n]) => sum + Number(n), 0);
    const requests: Record<string, number> = {};
    for (const [, labels = '', n] of values('rest_client_requests_total')) {
      const method = /method="(\w+)"/.exec(labels)?.[1] ?? '';
      requests[method] = (requests[method] ?? 0) + Number(n);
    }
    const { pid } = this.#child;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
    return {
      reconciles: total('controller_runtime_reconcile_total'),
      errors: total('controller_runtime_reconcile_errors_total'),
      requests,
      // in ticks of ten milliseconds
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      rssMib: Math.round(Number(rss) / 1024),
    };
  }
}

/** The API server as a pod finds it: by the files of a service account, which go with the operator. Reading a kubeconfig costs memory. */
export function asInPod({ kubeconfig, url }: ControlPlane): KubeConfigOptions {
  const account = mkdtempSync(join(tmpdir(), 'kim-account-'));
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: { cluster: { 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  writeFileSync(join(account, 'token'), users[0]!.user.token, { mode: 0o600 });
  writeFileSync(join(account, 'ca.crt'), Buffer.from(clusters[0]!.cluster['certificate-authority-data'], 'base64'));
  writeFileSync(join(account, 'namespace'), 'default');
  const { hostname, port } = new URL(url);
  return { account, env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } };
}
