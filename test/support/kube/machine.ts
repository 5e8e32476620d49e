// What stands on the machine that a test cluster could have made: to be compared before and after, without knowing how things were named.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { remainsOf } from './remains.ts';
import { run } from './run.ts';
import { slots } from './slot.ts';

const PROGRAMS = /^(etcd|kube-|kubelet|containerd|coredns|runc|busybox|sh$|sleep|nsenter)/;
/** Networks that other tests make. */
const FOREIGN = /kimns/;
const SHARED = ['/run/containerd', '/run/netns', '/var/lib/cni', '/var/log/containers', '/var/log/pods', '/var/lib/kubelet'];

/** One line for each process of a program that clusters are made of, each mount, link, route, rule, control group and file. */
export async function lookAround(): Promise<Set<string>> {
  const [links, routes, rules] = await Promise.all([
    run('ip', ['-o', 'link']),
    run('ip', ['route', 'show', 'table', 'all']),
    run('iptables-save', []),
  ]);
  return new Set([
    ...processes(),
    ...lines(readFileSync('/proc/self/mounts', 'utf8'), 'mount'),
    ...lines(links, 'link').map((line) => line.replace(/ state .*/, '')),
    ...lines(routes, 'route'),
    // counts and times change by themselves
    ...lines(rules, 'rule').filter((line) => line.startsWith('rule -A')),
    ...cgroups(),
    ...[...SHARED, ...slots().map(({ folder }) => folder)].flatMap(filesBelow).map((file) => `file ${file}`),
  ]);
}

/** What was not there before, except that of other clusters, which may come meanwhile. */
export function added(before: ReadonlySet<string>, after: ReadonlySet<string>, own: { readonly number: number }): string[] {
  // some names do not tell whose they are; their owners know
  const known = new Set(
    slots()
      .filter(({ number }) => number !== own.number)
      .flatMap((slot) => remainsOf(slot).files.map((file) => `file ${file}`)),
  );
  const lines = [...after].filter((line) => !before.has(line) && !known.has(line) && !FOREIGN.test(line));
  return lines.filter((line) => {
    const numbers = [...line.matchAll(/kimk(\d+)|kimserver-kube\/(\d+)|\b10\.200\.(\d+)\.|\b127\.77\.(\d+)\./g)].map((found) =>
      Number(found.slice(1).find((number) => number !== undefined)),
    );
    return numbers.length === 0 || numbers.includes(own.number);
  });
}

/** Resolves when nothing is there that was not there before. What others make and remove in the same moment is looked at again. */
export async function nothingAdded(before: ReadonlySet<string>, own: { readonly number: number }): Promise<void> {
  await until(async () => {
    const lines = added(before, await lookAround(), own);
    if (lines.length > 0) throw new Error(lines.join('\n'));
    return true;
  }, 'nothing of the cluster is left');
}

function processes(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const program = read(`/proc/${pid}/comm`).trim();
      const place = /kimserver-kube\/\d+/.exec(read(`/proc/${pid}/environ`))?.[0] ?? '';
      const group = /kimk\d+/.exec(read(`/proc/${pid}/cgroup`))?.[0] ?? '';
      // shells and the like are everywhere; ours tell where they are from
      const isOfCluster = PROGRAMS.test(program) && (place !== '' || group !== '' || !/^(sh|sleep|nsenter|busybox)/.test(program));
      return isOfCluster && read(`/proc/${pid}/cmdline`) !== '' ? [`process ${pid} ${program} ${place} ${group}`] : [];
    });
}

function cgroups(): string[] {
  const top = '/sys/fs/cgroup';
  const controllers = readdirSync(top).filter((name) => statSync(join(top, name)).isDirectory());
  return controllers.flatMap((name) => readdirSync(join(top, name)).map((inner) => `cgroup ${name}/${inner}`));
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
  } catch {
    return [];
  }
}

function lines(text: string, kind: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${kind} ${line}`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
