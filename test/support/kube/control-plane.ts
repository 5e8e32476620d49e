// A control plane as operators meet it: etcd, API server and controllers, on addresses of its own, ready in about three seconds.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { until } from '../until.ts';
import { Daemon } from './daemon.ts';
import { down, downUnused } from './down.ts';
import { Kube } from './kube.ts';
import { pathOf, providePrograms } from './programs.ts';
import { SERVICES } from './services.ts';
import { claimSlot, loopbackOf, type Slot } from './slot.ts';
import { controlPrograms, type ControlProgram } from './versions.ts';

const PORT = 6443;
/** Three seconds on two free cores; others may have them. */
const START_MS = 60_000;

export interface ControlPlaneSettings {
  readonly slot: Slot;
  /** Where all of it listens. */
  readonly address: string;
  /** It goes on when this process ends. */
  readonly stays: boolean;
  /** Addresses of pods, if there are nodes: then there is a scheduler too. */
  readonly pods?: string;
}

/** Starts one for a test. Dispose it, or give it to t.after: it leaves nothing. */
export async function startControlPlane(): Promise<ControlPlane> {
  await providePrograms(controlPrograms);
  await downUnused({ stays: false });
  const slot = claimSlot();
  const plane = new ControlPlane({ slot, address: loopbackOf(slot), stays: false });
  return plane.start().then(
    () => plane,
    async (error: unknown) => {
      await plane[Symbol.asyncDispose]();
      throw error;
    },
  );
}

export class ControlPlane implements AsyncDisposable {
  readonly slot: Slot;
  readonly url: string;
  /** A file for an administrator. */
  readonly kubeconfig: string;
  readonly kube: Kube;
  readonly etcd: Daemon;
  /** Can be stopped, frozen and started again while everything else goes on. */
  readonly apiserver: Daemon;
  readonly controllerManager: Daemon;
  /** Only with nodes. */
  readonly scheduler: Daemon | undefined;
  readonly #folder: string;
  readonly #token = randomBytes(16).toString('hex');

  constructor({ slot, address, stays, pods }: ControlPlaneSettings) {
    this.slot = slot;
    this.url = `https://${address}:${PORT}`;
    this.#folder = join(slot.folder, 'control');
    this.kubeconfig = kubeconfigOf(slot);
    this.kube = new Kube(this.kubeconfig);
    const daemon = (program: ControlProgram, args: readonly string[]) =>
      new Daemon({ slot, name: program, program: pathOf(program), args, stays });
    const certificates = join(this.#folder, 'certificates');
    const key = this.#file('accounts.key');
    this.etcd = daemon('etcd', [
      ...['--name=etcd', `--data-dir=${this.#file('etcd')}`, '--unsafe-no-fsync', '--log-level=warn'],
      ...[`--listen-client-urls=http://${address}:2379`, `--advertise-client-urls=http://${address}:2379`],
      ...[`--listen-peer-urls=http://${address}:2380`, `--initial-advertise-peer-urls=http://${address}:2380`],
      `--initial-cluster=etcd=http://${address}:2380`,
    ]);
    this.apiserver = daemon('kube-apiserver', [
      ...[`--etcd-servers=http://${address}:2379`, `--bind-address=${address}`, `--secure-port=${PORT}`],
      // it signs its certificate itself, for this address, the names of the Service and the Service's address
      ...[`--advertise-address=${address}`, `--cert-dir=${certificates}`, `--service-cluster-ip-range=${SERVICES}`],
      ...[`--service-account-key-file=${key}`, `--service-account-signing-key-file=${key}`],
      ...['--service-account-issuer=https://kubernetes.default.svc', `--token-auth-file=${this.#file('tokens.csv')}`],
      ...['--authorization-mode=Node,RBAC', '--allow-privileged', '--profiling=false'],
      // addresses of Services mean nothing outside of nodes: webhooks and further APIs are asked at their endpoints
      '--enable-aggregator-routing=true',
      // for logs and exec: nobody knows nodes by name
      '--kubelet-preferred-address-types=InternalIP',
      // an address of loopback can not be the endpoint of a Service
      ...(pods === undefined ? ['--endpoint-reconciler-type=none'] : []),
    ]);
    this.controllerManager = daemon('kube-controller-manager', [
      ...[`--kubeconfig=${this.kubeconfig}`, '--leader-elect=false', '--secure-port=0', '--profiling=false'],
      ...[`--service-account-private-key-file=${key}`, `--root-ca-file=${this.#certificate}`],
      ...['--allocate-node-cidrs=false', `--cluster-cidr=${pods ?? '10.201.0.0/16'}`, `--service-cluster-ip-range=${SERVICES}`],
      `--flex-volume-plugin-dir=${this.#file('volume-plugins')}`,
      // faster than usual, for tests that lose a node and for autoscalers
      ...['--node-monitor-grace-period=20s', '--node-monitor-period=2s', '--horizontal-pod-autoscaler-sync-period=5s'],
    ]);
    this.scheduler =
      pods === undefined
        ? undefined
        : daemon('kube-scheduler', [`--kubeconfig=${this.kubeconfig}`, '--leader-elect=false', '--secure-port=0', '--profiling=false']);
  }

  /** Resolves when the API server is ready and gives accounts to pods. */
  async start(): Promise<void> {
    mkdirSync(this.#folder);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(this.#file('accounts.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
    writeFileSync(this.#file('tokens.csv'), `${this.#token},admin,admin,"system:masters"\n`, { mode: 0o600 });
    this.etcd.start();
    this.apiserver.start();
    await this.#runs(() => this.#isCertificateWhole(), 'has written its certificate');
    writeFileSync(this.kubeconfig, JSON.stringify(this.#kubeconfigText(), undefined, 2), { mode: 0o600 });
    this.controllerManager.start();
    this.scheduler?.start();
    await this.ready();
    await this.#runs(async () => (await this.#get('/api/v1/namespaces/default/serviceaccounts/default')) === 200, 'has a default account');
  }

  /** Resolves when the API server answers that it is ready; also after it was started again. */
  async ready(): Promise<void> {
    await this.#runs(async () => (await this.#get('/readyz')) === 200, 'is ready');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await down(this.slot);
  }

  async #runs(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const parts = [this.etcd, this.apiserver];
    const ended = () => parts.find((part) => !part.isRunning);
    await until(async () => ended() !== undefined || (await look()), `the API server at ${this.url} ${what}`, START_MS);
    const part = ended();
    if (part !== undefined) throw new Error(`${part.name} has ended; the end of its log:\n${part.log}`);
  }

  /** The status of an answer. */
  #get(path: string): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const ca = readFileSync(this.#certificate);
    const headers = { authorization: `Bearer ${this.#token}` };
    const asked = request(`${this.url}${path}`, { ca, headers, timeout: 2000, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${path}`)));
    asked.on('error', reject);
    asked.end();
    return promise;
  }

  #kubeconfigText() {
    const cluster = { server: this.url, 'certificate-authority-data': readFileSync(this.#certificate).toString('base64') };
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'admin', user: { token: this.#token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
      'current-context': 'test',
    };
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  /** It is there before everything is in it: two certificates. */
  #isCertificateWhole(): boolean {
    return existsSync(this.#certificate) && readFileSync(this.#certificate, 'utf8').split('-----END CERTIFICATE-----\n').length === 3;
  }

  /** With the authority that signed it behind it. */
  get #certificate(): string {
    return join(this.#folder, 'certificates', 'apiserver.crt');
  }
}

export function kubeconfigOf(slot: Slot): string {
  return join(slot.folder, 'kubeconfig');
}
