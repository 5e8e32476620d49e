// What a test cluster has on this machine: processes, mounts, namespaces, links, control groups, files elsewhere.
// Everything is found by the names of its place, not by what somebody wrote down: a run may be killed before it writes.

import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MARK, type Slot } from './slot.ts';

const CGROUPS = '/sys/fs/cgroup';
/** Where container runtimes write although they are given folders of their own. */
const CNI_RESULTS = '/var/lib/cni/results';
const CONTAINER_LOGS = '/var/log/containers';

export interface Remains {
  readonly processes: readonly number[];
  /** Mount points, inner ones first. */
  readonly mounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  /** Folders of control groups, inner ones first. */
  readonly cgroups: readonly string[];
  readonly files: readonly string[];
}

export function remainsOf(slot: Slot): Remains {
  const cgroups = cgroupsOf(slot);
  return {
    processes: processesOf(slot, cgroups),
    mounts: mountsBelow(slot.folder),
    namespaces: list('/run/netns').filter((name) => isOurs(slot, name)),
    links: list('/sys/class/net').filter((name) => isOurs(slot, name)),
    cgroups,
    files: [...shimSockets(slot.folder), ...filesElsewhere(slot)],
  };
}

/** Also those whose program has ended but whose container has not: containers know nothing of our mark, but have our control group. */
function processesOf(slot: Slot, cgroups: readonly string[]): number[] {
  const mark = `${MARK}=${slot.folder}\0`;
  const marked = list('/proc').filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(mark));
  const contained = cgroups.flatMap((folder) => read(join(folder, 'cgroup.procs')).split('\n').filter(Boolean));
  return [...new Set([...marked, ...contained])].map(Number).filter((pid) => pid > 0 && !isZombie(pid));
}

function mountsBelow(folder: string): string[] {
  const points = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

function cgroupsOf(slot: Slot): string[] {
  // version 1 has a folder for each controller, version 2 has none between
  const roots = [CGROUPS, ...list(CGROUPS).map((name) => join(CGROUPS, name))];
  const tops = roots.flatMap((root) => list(root).map((name) => ({ root, name }))).filter(({ name }) => isOurs(slot, name));
  return [...new Set(tops.flatMap(({ root, name }) => foldersBelow(join(root, name))))];
}

function foldersBelow(folder: string): string[] {
  const inner = list(folder).map((name) => join(folder, name));
  return [...inner.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory()).flatMap(foldersBelow), folder];
}

/** Each shim has its socket in a folder that all of the machine share, and wrote down where. */
function shimSockets(folder: string): string[] {
  return list(folder)
    .filter((name) => /^n\d$/.test(name))
    .flatMap((node) => {
      const tasks = join(folder, node, 'run/io.containerd.runtime.v2.task/k8s.io');
      return list(tasks).map((id) =>
        read(join(tasks, id, 'address'))
          .trim()
          .replace(/^unix:\/\//, ''),
      );
    })
    .filter((path) => path !== '' && existsSync(path));
}

function filesElsewhere(slot: Slot): string[] {
  // most have the node's name, those of loopback only tell which namespace they were made for
  const isResult = (name: string) => isOurs(slot, name) || read(join(CNI_RESULTS, name)).includes(`"${slot.folder}/`);
  const results = list(CNI_RESULTS).filter(isResult);
  const logs = list(CONTAINER_LOGS).filter((name) => target(join(CONTAINER_LOGS, name)).startsWith(`${slot.folder}/`));
  return [...results.map((name) => join(CNI_RESULTS, name)), ...logs.map((name) => join(CONTAINER_LOGS, name))];
}

/** kimk1 is not the place of kimk12. */
function isOurs({ prefix }: Slot, name: string): boolean {
  return name.startsWith(prefix) && !/^\d/.test(name.slice(prefix.length));
}

function isZombie(pid: number): boolean {
  return /^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`)) || !existsSync(`/proc/${pid}`);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
