// What tests do with a cluster, whichever it is: everything goes through kubectl and a kubeconfig.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { pathOf } from './programs.ts';
import { attempt, run, type Ran, type RunOptions } from './run.ts';

/** As much of an object as every kind has. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

interface KubeList<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface Ending {
  after(end: () => Promise<void> | void): void;
}

const WAIT_MS = 60_000;

export class Kube {
  readonly kubeconfig: string;

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  /** Resolves with what kubectl wrote; throws with its complaint. */
  kubectl(...args: readonly string[]): Promise<string> {
    return run(pathOf('kubectl'), args, this.#options());
  }

  /** The same where a refusal is what the test is about. */
  tryKubectl(args: readonly string[], input?: string): Promise<Ran> {
    return attempt(pathOf('kubectl'), args, this.#options(input));
  }

  /** Applies objects, or YAML with any number of them, on the server's side. */
  apply(what: string | readonly object[], namespace = 'default'): Promise<string> {
    const text = typeof what === 'string' ? what : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: what });
    return run(
      pathOf('kubectl'),
      ['apply', '--server-side', '--force-conflicts', `--namespace=${namespace}`, '-f', '-'],
      this.#options(text),
    );
  }

  /** One object or list by its path: /api/v1/namespaces/default/pods. */
  async get<T = KubeObject>(path: string): Promise<T> {
    return JSON.parse(await this.kubectl('get', '--raw', path)) as T;
  }

  /** A namespace for one test; it goes with it. */
  async namespace(t: Ending): Promise<string> {
    const name = `test-${randomBytes(4).toString('hex')}`;
    await this.kubectl('create', 'namespace', name);
    t.after(async () => {
      await this.kubectl('delete', 'namespace', name, '--wait=false');
    });
    return name;
  }

  /**
   * Resolves when this holds for what is listed at a path, now or later. It watches, so nothing is asked again and again.
   * Throws after maxMs (60 s if not given) with what was there last.
   */
  async waitFor<T extends KubeObject = KubeObject>(
    path: string,
    isSo: (items: readonly T[]) => boolean,
    what: string,
    maxMs = WAIT_MS,
  ): Promise<readonly T[]> {
    const list = await this.get<KubeList<T>>(path);
    const items = new Map(list.items.map((item) => [keyOf(item), item]));
    const all = () => [...items.values()];
    if (isSo(all())) return all();
    const watch = `${path}${path.includes('?') ? '&' : '?'}watch=1&resourceVersion=${list.metadata.resourceVersion}`;
    const child = spawn(pathOf('kubectl'), ['get', '--raw', watch], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      timeout: maxMs,
      killSignal: 'SIGKILL',
    });
    let complaint = '';
    child.stderr.on('data', (piece: Buffer) => (complaint += piece.toString()));
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { type, object } = JSON.parse(line) as { type: string; object: T };
        if (type === 'ERROR') throw new Error(`cannot watch ${path}: ${line}`);
        if (type === 'DELETED') items.delete(keyOf(object));
        else items.set(keyOf(object), object);
        if (isSo(all())) return all();
      }
    } finally {
      child.kill('SIGKILL');
    }
    throw new Error(`waited in vain until ${what}; ${complaint} the last at ${path} were ${JSON.stringify(all())}`);
  }

  #options(input?: string): RunOptions {
    return { env: { KUBECONFIG: this.kubeconfig }, ...(input === undefined ? {} : { input }) };
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
