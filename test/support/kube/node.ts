// One node of a cluster: containerd, kubelet and kube-proxy in a network namespace and a control group of their own.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { containerdConfig, kubeletConfig, networkConfig } from './node-config.ts';
import { Daemon } from './daemon.ts';
import { setLink } from './network.ts';
import { pathOf } from './programs.ts';
import { attempt, run } from './run.ts';
import { DNS } from './services.ts';
import type { NodeNames, Slot } from './slot.ts';

const CGROUPS = '/sys/fs/cgroup';
const START_MS = 60_000;
/** A hundred and more megabytes are unpacked. */
const LOAD_MS = 120_000;

export interface NodeSettings {
  readonly slot: Slot;
  readonly names: NodeNames;
  readonly kubeconfig: string;
  /** Addresses of all pods, of this node and the others. */
  readonly pods: string;
  readonly stays: boolean;
}

export class ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly containerd: Daemon;
  readonly kubelet: Daemon;
  readonly proxy: Daemon;
  readonly #settings: NodeSettings;

  constructor(settings: NodeSettings) {
    const { slot, names, kubeconfig, pods, stays } = settings;
    const { name, address, folder } = names;
    this.#settings = settings;
    this.name = name;
    this.address = address;
    const daemon = (program: string, file: string, args: readonly string[]) =>
      new Daemon({ slot, name: `${program}-${name}`, program: file, args, namespace: name, stays });
    this.containerd = daemon('containerd', 'containerd', ['--config', join(folder, 'containerd.toml'), '--log-level', 'warn']);
    this.kubelet = daemon('kubelet', pathOf('kubelet'), [
      ...[`--kubeconfig=${kubeconfig}`, `--config=${join(folder, 'kubelet.json')}`, `--root-dir=${join(folder, 'kubelet')}`],
      ...[`--cert-dir=${join(folder, 'certificates')}`, `--hostname-override=${name}`, `--node-ip=${address}`],
    ]);
    this.proxy = daemon('kube-proxy', pathOf('kube-proxy'), [
      ...[`--kubeconfig=${kubeconfig}`, `--hostname-override=${name}`, '--proxy-mode=iptables', `--cluster-cidr=${pods}`],
      // limits of the machine, which are not ours to set
      ...['--conntrack-max-per-core=0', '--conntrack-tcp-timeout-established=0', '--conntrack-tcp-timeout-close-wait=0'],
    ]);
  }

  /** Starts containerd and loads what pods need to begin. The network has to be there. */
  async prepare(archive: string): Promise<void> {
    const { names } = this.#settings;
    const { folder } = names;
    for (const name of ['cni', 'kubelet', 'certificates', 'logs']) mkdirSync(join(folder, name), { recursive: true });
    makeCgroups(names.name);
    writeFileSync(join(folder, 'containerd.toml'), containerdConfig(names));
    writeFileSync(join(folder, 'cni', '10-pods.conflist'), JSON.stringify(networkConfig(names)));
    writeFileSync(join(folder, 'resolv.conf'), `nameserver ${DNS}\n`);
    writeFileSync(join(folder, 'kubelet.json'), JSON.stringify(kubeletConfig(names), undefined, 2));
    this.containerd.start();
    const answers = async () => (await attempt('ctr', ['-a', socketOf(names), 'version'])).code === 0;
    await until(async () => !this.containerd.isRunning || (await answers()), `containerd of ${names.name} answers`, START_MS);
    if (!this.containerd.isRunning) throw new Error(`containerd of ${names.name} has ended; the end of its log:\n${this.containerd.log}`);
    await loadInto(names, archive);
  }

  /** Joins the cluster. */
  start(): void {
    this.kubelet.start();
    this.proxy.start();
  }

  /** Nobody reaches it any more and it reaches nobody, as when its machine is lost; what runs on it goes on. */
  cut(): Promise<void> {
    return setLink(this.#settings.names, 'down');
  }

  join(): Promise<void> {
    return setLink(this.#settings.names, 'up');
  }
}

/** Brings the images of an archive (docker save, buildah push docker-archive:) to a node. */
export async function loadInto(names: NodeNames, archive: string): Promise<void> {
  await run('ctr', ['-a', socketOf(names), '-n', 'k8s.io', 'images', 'import', archive], { maxMs: LOAD_MS });
}

/** A second name for an image. */
export async function tagIn(names: NodeNames, image: string, name: string): Promise<void> {
  await run('ctr', ['-a', socketOf(names), '-n', 'k8s.io', 'images', 'tag', '--force', image, name]);
}

const socketOf = ({ folder }: NodeNames) => join(folder, 'containerd.sock');

/** The kubelet makes its groups below one that has to be there. */
function makeCgroups(name: string): void {
  const isVersion2 = existsSync(join(CGROUPS, 'cgroup.controllers'));
  const controllers = isVersion2 ? [CGROUPS] : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
  for (const controller of controllers) {
    const folder = join(controller, name);
    if (existsSync(join(controller, 'cgroup.procs'))) mkdirSync(folder, { recursive: true });
    // a new group of this controller has no processor and no memory, and takes nobody
    for (const file of isVersion2 ? [] : ['cpuset.mems', 'cpuset.cpus']) {
      if (existsSync(join(controller, file))) writeFileSync(join(folder, file), readFileSync(join(controller, file)));
    }
  }
}
