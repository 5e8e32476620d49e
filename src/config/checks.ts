// Rules between options, each a pure function that answers with a sentence or with nothing. The order is the order of the report.

import { clusterAdvice, clusterRules } from './cluster-rules.ts';
import { options, type NodeConfig, type OptionKey } from './options.ts';

/** How an option is called where the reader wrote it: `max_frame`, or `spec.gate.limits.maxFrame`. */
export type NameOf = (key: OptionKey) => string;

/** What a check looks at. */
interface Subject {
  readonly config: NodeConfig;
  readonly name: NameOf;
  /** Whether the reader wrote this option, or it is a default. */
  readonly given: (key: OptionKey) => boolean;
}

export interface Check {
  /** What the rule is about; the finding is shown at the first that was given. */
  readonly keys: readonly [OptionKey, ...OptionKey[]];
  readonly judge: (subject: Subject) => string | Finding | undefined;
}

/** A sentence about something inside the option: `at` leads to it. */
export interface Finding {
  readonly message: string;
  readonly at: readonly (string | number)[];
}

const WILDCARDS = ['0.0.0.0', '::', '*'];

/** Workers report once a second, and a busy machine may make one report late. */
const MIN_HANG_MS = 2000;

/** Whether two listeners of these hosts would take the same port from each other. */
export function hostsOverlap(a: string, b: string): boolean {
  const plain = (host: string) => (host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase());
  return plain(a) === plain(b) || WILDCARDS.includes(a) || WILDCARDS.includes(b);
}

function samePort(a: 'gate' | 'node' | 'admin', b: 'gate' | 'node' | 'admin'): Check {
  return {
    keys: [`${a}_port`, `${b}_port`],
    judge({ config, name }) {
      const [portA, portB, hostA, hostB] = [config[`${a}_port`], config[`${b}_port`], config[`${a}_host`], config[`${b}_host`]];
      if (portA !== portB || !portA || hostA === '' || hostB === '' || !hostsOverlap(hostA, hostB)) return undefined;
      return `${name(`${a}_port`)} and ${name(`${b}_port`)} are both ${portA} on ${hostA === hostB ? hostA : `${hostA} and ${hostB}`}; each needs a port of its own`;
    },
  };
}

function portGiven(which: 'gate' | 'node'): Check {
  return {
    keys: [`${which}_port`],
    judge({ config, name, given }) {
      if (config[`${which}_host`] === '' || given(`${which}_port`)) return undefined;
      return `${name(`${which}_port`)} is missing though ${name(`${which}_host`)} is ${config[`${which}_host`]}; give a port, or 0 for any free one`;
    },
  };
}

/** `less` may not be above `more`; `because` says what would happen. */
function ordered(less: OptionKey, more: OptionKey, because: string): Check {
  return {
    keys: [more, less],
    judge({ config, name }) {
      const [low, high] = [config[less], config[more]];
      if (typeof low !== 'number' || typeof high !== 'number' || low <= high) return undefined;
      return `${name(more)} is ${high}, below ${name(less)} (${low}): ${because}; raise ${name(more)} or lower ${name(less)}`;
    },
  };
}

/** What must hold. */
export const rules: readonly Check[] = [
  {
    keys: ['gate_host', 'node_host'],
    judge: ({ config, name }) =>
      config.gate_host === '' && config.node_host === ''
        ? `neither ${name('gate_host')} nor ${name('node_host')} is set, so nobody could connect; set ${name('gate_host')} and ${name('gate_port')} to serve clients, or ${name('node_host')} and ${name('node_port')} to serve other nodes`
        : undefined,
  },
  portGiven('gate'),
  portGiven('node'),
  samePort('gate', 'node'),
  samePort('admin', 'gate'),
  samePort('admin', 'node'),
  ordered('outgoing_limit', 'outgoing_burst', 'a slow reader would be closed before reading from it pauses'),
  ordered('max_frame', 'outgoing_burst', 'the largest reply would close the client that asked for it'),
  ordered('max_frame', 'worker_memory', 'the largest frame would not fit into the memory of a worker'),
  ordered('restart_min_ms', 'restart_max_ms', 'the first wait would be longer than the longest'),
  {
    keys: ['hang_ms'],
    judge: ({ config, name }) =>
      config.hang_ms > 0 && config.hang_ms < MIN_HANG_MS
        ? `${name('hang_ms')} is ${config.hang_ms} ms: healthy workers, which give a sign of life each second, would be killed; give at least ${MIN_HANG_MS}, or 0 for no such limit`
        : undefined,
  },
  ...clusterRules,
];

/** What is allowed but may surprise. */
export const advice: readonly Check[] = [
  {
    keys: ['drain_ms', 'request_timeout_ms'],
    judge: ({ config, name, given }) =>
      given('request_timeout_ms') &&
      // Who leaves the default has not chosen it, and who writes it down neither.
      config.request_timeout_ms !== options.request_timeout_ms.default &&
      config.request_timeout_ms > config.drain_ms
        ? `${name('request_timeout_ms')} is ${config.request_timeout_ms} ms and drain time ${config.drain_ms} ms: requests that take longer than the drain time are cut when a node leaves`
        : undefined,
  },
  {
    keys: ['gate_port', 'gate_host'],
    judge: ({ config, name }) =>
      config.gate_port !== 0 && config.gate_host === ''
        ? `${name('gate_port')} is ignored because ${name('gate_host')} is not set`
        : undefined,
  },
  {
    keys: ['node_port', 'node_host'],
    judge: ({ config, name }) =>
      config.node_port !== 0 && config.node_host === ''
        ? `${name('node_port')} is ignored because ${name('node_host')} is not set`
        : undefined,
  },
  {
    keys: ['admin_port'],
    judge: ({ config, name, given }) =>
      !given('admin_port') && config.admin_port === 0 && (config.gate_host === '' ? config.node_port : config.gate_port) !== 0
        ? `${name('admin_port')} is any free port, because the default would be above 65535; set it to choose one`
        : undefined,
  },
  ...clusterAdvice,
];
