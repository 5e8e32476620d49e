// kubectl kim debug: one file with what somebody needs who looks for a fault, and nothing that is secret.

import { existsSync, writeFileSync } from 'node:fs';
import { version } from '../../version.ts';
import { userPath } from '../paths.ts';
import { Failure } from '../problem.ts';
import { bytes, painter } from '../terminal.ts';
import { lookAtPods } from './ask.ts';
import { Bundle } from './bundle.ts';
import { collectCluster, collectOperator } from './collect.ts';
import { clustersIn, podsOf } from './objects.ts';
import { progressOn } from './progress.ts';
import { Redactor } from './redact.ts';
import { withKube, type KubeOptions, type KubeSession } from './session.ts';
import { statusBlock } from './status-text.ts';

interface DebugOptions extends KubeOptions {
  output: string | undefined;
  operatorNamespace: string | undefined;
}

/** For all of it; what is not read by then is left out. */
const MAX_MS = 120_000;

export function runKubeDebug([name]: readonly string[], { output, operatorNamespace, ...access }: DebugOptions): Promise<number> {
  return withKube(access, async (session) => {
    const { client, namespace } = session;
    const begun = new Date();
    const clusters = await clustersIn(client, namespace, name);
    const folder = `kim-debug-${name ?? namespace}-${begun.toISOString().slice(0, 19).replace(/\D/g, '')}`;
    const file = output ?? `${folder}.tar.gz`;
    // before minutes are spent
    if (existsSync(userPath(file))) throw isThere(file);
    const redactor = new Redactor();
    const progress = progressOn(process.stderr);
    const bundle = new Bundle({ redactor, say: progress.show, deadline: begun.getTime() + MAX_MS });
    const around = { client, bundle, redactor };
    for (const cluster of clusters) await collectCluster(around, cluster);
    await bundle.add(
      'status.txt',
      () => statusText(session, name),
      (text) => text,
    );
    await bundle.add(
      'kubernetes.json',
      () => client.text('/version'),
      (text) => text,
    );
    await collectOperator(around, operatorNamespace);
    progress.end();
    const list = listText(bundle, begun);
    bundle.put('README.txt', list);
    write(file, bundle.pack(folder, begun.getTime()));
    process.stdout.write(`${list}\nwrote ${file}\n`);
    return 0;
  });
}

/** What "kubectl kim status" shows. */
async function statusText({ client, namespace }: KubeSession, name: string | undefined): Promise<string> {
  const clusters = await clustersIn(client, namespace, name);
  const paint = painter(false);
  const blocks = clusters.map(async (cluster) => {
    const pods = await lookAtPods(client, await podsOf(client, cluster));
    return statusBlock({ cluster, pods, before: [] }, Date.now(), paint).join('\n');
  });
  return `${(await Promise.all(blocks)).join('\n\n')}\n`;
}

function listText(bundle: Bundle, begun: Date): string {
  const { files, missing } = bundle.list;
  const width = Math.max(...files.map(([name]) => name.length));
  return [
    `collected by kubectl kim ${version} at ${begun.toISOString()}`,
    '',
    ...files.map(([name, size]) => `${name.padEnd(width)}  ${bytes(size)}`),
    '',
    ...(missing.length === 0 ? [] : ['could not be had:', ...missing.map((line) => `  ${line}`), '']),
    'left out: Secrets; values of variables, passwords and tokens (***); annotations of others; containers of others, their logs, and what',
    'modules log; clients and users',
    '',
  ].join('\n');
}

function write(file: string, content: Buffer): void {
  try {
    // what is there already is somebody's work
    writeFileSync(userPath(file), content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'EEXIST' ? isThere(file) : new Failure(`cannot write ${file}: ${message}`, { cause: error });
  }
}

function isThere(file: string): Failure {
  return new Failure(`${file} is there already; --output names another file`);
}
