// Real ZooKeeper servers for tests: one or an ensemble, on free ports, each with a data folder of its own; stopped, killed, frozen and restarted at will.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provide } from '../../scripts/support/debian.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const JAR = '/usr/share/java/zookeeper.jar';

/** Why tests with ZooKeeper cannot run here, or false: for the option `skip` of a test. */
export const noZookeeper: string | false = provide({ files: ['java', JAR], packages: ['zookeeper', 'default-jre-headless'] }) ?? false;

/** Sessions are checked for their end once in this time, and none is shorter than two of it. */
const TICK_MS = 100;
/** A server that only begins takes connections and leaves them there. */
const WORD_TIMEOUT_MS = 500;

interface Ending {
  after(end: () => Promise<void> | void): void;
}

/** Starts one server and waits until it serves; where `host` says so it can be reached from other networks. */
export async function startZookeeper(t: Ending, { host = '127.0.0.1' } = {}): Promise<ZookeeperServer> {
  const server = new ZookeeperServer(await freePort(), undefined, host);
  t.after(() => server.dispose());
  await server.start();
  return server;
}

/** Starts three servers that make one ensemble, and waits until they have a leader. */
export async function startEnsemble(t: Ending): Promise<Ensemble> {
  const ports = await Promise.all(Array.from({ length: 3 }, async () => [await freePort(), await freePort(), await freePort()] as const));
  const lines = ports.map(([, quorum, election], i) => `server.${i + 1}=127.0.0.1:${quorum}:${election}`);
  const ensemble = new Ensemble(ports.map(([client], i) => new ZookeeperServer(client, { id: i + 1, lines })));
  t.after(async () => {
    await Promise.all(ensemble.members.map((server) => server.dispose()));
  });
  await Promise.all(ensemble.members.map((server) => server.start()));
  return ensemble;
}

export class Ensemble {
  readonly members: readonly ZookeeperServer[];

  constructor(members: readonly ZookeeperServer[]) {
    this.members = members;
  }

  /** For clients: all members, in one text. */
  get addresses(): string {
    return this.members.map(({ address }) => address).join(',');
  }

  leader(): Promise<ZookeeperServer> {
    return until(async () => {
      const modes = await Promise.all(this.members.map((server) => server.mode()));
      return this.members[modes.indexOf('leader')];
    }, 'the ensemble has a leader');
  }
}

export class ZookeeperServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kim-zookeeper-'));
  readonly #ensemble: { readonly id: number; readonly lines: readonly string[] } | undefined;
  readonly #host: string;
  #process: ChildProcess | undefined;
  #output = '';

  constructor(port: number, ensemble?: { readonly id: number; readonly lines: readonly string[] }, host = '127.0.0.1') {
    this.port = port;
    this.#ensemble = ensemble;
    this.#host = host;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, again if need be, on the same port; with `isEmpty` it has forgotten everything. Resolves when it serves. */
  async start({ isEmpty = false } = {}): Promise<void> {
    const data = join(this.#folder, 'data');
    if (isEmpty) rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
    if (this.#ensemble !== undefined) writeFileSync(join(data, 'myid'), `${this.#ensemble.id}\n`);
    const config = join(this.#folder, 'zoo.cfg');
    writeFileSync(config, this.#config(data));
    const flags = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', ...PROPERTIES.map((line) => `-D${line}`)];
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.#output = '';
    // a test that is killed takes its servers with it
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'java', ...flags, '-cp', JAR, main, config], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    const keep = (piece: Buffer) => {
      this.#output = `${this.#output}${piece.toString()}`.slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const mode = await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return 'ended';
      return this.mode();
    }, `ZooKeeper serves on ${this.address}`);
    if (mode === 'ended') throw new Error(`ZooKeeper ended at its start: ${this.#output}`);
  }

  /** standalone, leader or follower; undefined while it does not serve. */
  async mode(): Promise<string | undefined> {
    return /^Mode: (\w+)$/m.exec(await this.ask('srvr').catch(() => ''))?.[1];
  }

  /** The answer to a four-letter word. */
  ask(word: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect(this.port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(WORD_TIMEOUT_MS, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.on('connect', () => socket.write(word));
    socket.on('data', (piece: Buffer) => {
      answer += piece.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    return promise;
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** It holds its connections and ports but does nothing, until resume(). */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  }

  #config(data: string): string {
    return [
      `tickTime=${TICK_MS}`,
      'initLimit=100',
      'syncLimit=10',
      `dataDir=${data}`,
      `clientPortAddress=${this.#host}`,
      `clientPort=${this.port}`,
      'maxClientCnxns=0',
      'maxSessionTimeout=60000',
      ...(this.#ensemble?.lines ?? []),
      '',
    ].join('\n');
  }
}

const PROPERTIES = [
  'zookeeper.4lw.commands.whitelist=*',
  'zookeeper.admin.enableServer=false',
  // the data need not survive the machine
  'zookeeper.forceSync=no',
  'zookeeper.preAllocSize=64',
  'zookeeper.nio.numSelectorThreads=1',
  'zookeeper.nio.numWorkerThreads=2',
];
