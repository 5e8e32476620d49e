// A real Prometheus for tests: on a free port, with a folder of its own, scraping what the test names and asked over its HTTP API.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provide } from '../../scripts/support/debian.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

/** Why tests with Prometheus cannot run here, or false: for the option `skip` of a test. */
export const noPrometheus: string | false =
  provide({ files: ['prometheus', 'promtool'], packages: ['prometheus'], service: 'prometheus' }) ?? false;

export type Labels = Readonly<Record<string, string>>;

export interface Target {
  /** Host and port; `/metrics` is read there. */
  readonly address: string;
  /** That a ServiceMonitor gives. */
  readonly labels: Labels;
  /** Whether labels of the page win over those. */
  readonly honorLabels?: boolean;
}

export interface Rule {
  readonly alert: string;
  readonly expr: string;
}

/** One series: at one moment, or at each step of a time. Times are seconds since 1970. */
export interface Found {
  readonly metric: Labels;
  readonly value: readonly [time: number, value: string];
}
export interface FoundRange {
  readonly metric: Labels;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** What Prometheus makes of a rule. */
export interface LoadedRule {
  readonly name: string;
  readonly health: 'ok' | 'unknown' | 'err';
  readonly lastError?: string;
  readonly state: 'inactive' | 'pending' | 'firing';
}

interface Ending {
  after(end: () => Promise<void>): void;
}

/** Starts one that scrapes and evaluates once a second, and waits until it serves. */
export async function startPrometheus(t: Ending, { targets, rules }: { targets: readonly Target[]; rules: readonly Rule[] }) {
  const folder = mkdtempSync(join(tmpdir(), 'kim-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [writeRules(folder, rules)],
    scrape_configs: targets.map(({ address, labels, honorLabels = false }, index) => ({
      job_name: `job-${index}`,
      honor_labels: honorLabels,
      static_configs: [{ targets: [address], labels }],
    })),
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`];
  // a test that is killed takes its server with it
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'prometheus', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const server = new Prometheus(child, `http://${address}`);
  t.after(async () => {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  });
  await server.ready();
  return server;
}

/** What `promtool test rules` says of these tests of these rules: undefined when all is well. */
export function testRules(rules: readonly Rule[], tests: readonly object[]): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kim-promtool-'));
  try {
    const file = join(folder, 'tests.json');
    writeFileSync(file, JSON.stringify({ rule_files: [writeRules(folder, rules)], evaluation_interval: '1m', tests }));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    return status === 0 ? undefined : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeRules(folder: string, rules: readonly Rule[]): string {
  // what is JSON is YAML
  writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups: [{ name: 'kimserver', rules }] }));
  return 'rules.json';
}

export class Prometheus {
  readonly #child: ChildProcess;
  readonly #url: string;
  #log = '';

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
    child.stderr!.on('data', (piece: Buffer) => {
      this.#log = `${this.#log}${piece.toString()}`.slice(-4000);
    });
  }

  async ready(): Promise<void> {
    await until(async () => {
      if (this.#child.exitCode !== null) return true;
      return (await fetch(new URL('/-/ready', this.#url))).ok;
    }, 'Prometheus serves');
    if (this.#child.exitCode !== null) throw new Error(`Prometheus ended at its start: ${this.#log}`);
  }

  query(query: string): Promise<Found[]> {
    return this.#ask<{ result: Found[] }>('query', { query }).then(({ result }) => result);
  }

  /** From and to in seconds since 1970, a point each second. */
  queryRange(query: string, { from, to }: { from: number; to: number }): Promise<FoundRange[]> {
    const range = { query, start: String(from), end: String(to), step: '1' };
    return this.#ask<{ result: FoundRange[] }>('query_range', range).then(({ result }) => result);
  }

  /** Values that a label has in the series of a selector, as Grafana asks for label_values(selector, label). */
  labelValues(selector: string, label: string): Promise<string[]> {
    return this.#ask(`label/${label}/values`, { 'match[]': selector });
  }

  rules(): Promise<LoadedRule[]> {
    return this.#ask<{ groups: { rules: LoadedRule[] }[] }>('rules', {}).then(({ groups }) => groups.flatMap(({ rules }) => rules));
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }

  /** Throws what it says when it does not answer the question. */
  async #ask<T>(path: string, parameters: Labels): Promise<T> {
    const url = new URL(`/api/v1/${path}?${new URLSearchParams(parameters).toString()}`, this.#url);
    const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${answer.error} in ${url.search}`);
    return answer.data;
  }
}
