// Options that say what a node is: its name, where it listens, what it runs, how it logs and how it leaves.

import { option } from './field.ts';
import { choice, duration, flag, host, idleTime, list, name, port, portOrNone, text, whole } from './kinds.ts';

/** The client dialects this version speaks. */
export const codecs: readonly string[] = ['protobuf'];
/** Codecs that the original knows by name, though neither works there. */
const LATER_CODECS = ['http', 'private'];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const identity = 'The node';
const listening = 'Where it listens';
const logging = 'Log';
const DEFAULT_KEEP_ALIVE_MS = 15_000;

export const nodeOptions = {
  server_name: option(name(), {
    default: 'kim',
    apply: 'restart',
    section: identity,
    historic: true,
    doc: 'Name of the node: title of its processes (workers add _w_ and their number) and first half of its name in ZooKeeper.',
  }),
  node_type: option(name(), {
    apply: 'restart',
    section: identity,
    historic: true,
    doc: 'What the node is to others: gate, logic, or any word you choose. Nodes of one type share their work.',
  }),
  worker_cnt: option(whole(1, 512), {
    default: 1,
    unit: 'processes',
    apply: 'live',
    section: identity,
    path: 'workers',
    historic: true,
    doc: 'Worker processes, which serve the connections. One for each processor is a good start; a change closes no connection.',
  }),
  modules: option(list(), {
    default: [] as readonly string[],
    apply: 'roll',
    section: identity,
    path: 'modules',
    historic: true,
    doc: 'What the node answers: names of modules that ship with kimserver, or paths of your own. module_test.so and module_gate.so of the original are known.',
  }),
  drain_ms: option(duration(0), {
    default: 10_000,
    unit: 'ms',
    apply: 'live',
    section: identity,
    path: 'drain.seconds',
    doc: 'Time a node or worker that leaves gives to what is in flight. What is busy after it is closed; with 0 everything is closed at once.',
  }),
  gate_host: option(host('no clients are served'), {
    default: '',
    apply: 'restart',
    section: listening,
    path: 'listeners[0].host',
    historic: true,
    doc: 'Address on which clients connect; 0.0.0.0 or :: for all. Empty: the node serves no clients.',
  }),
  gate_port: option(port(), {
    default: 0,
    defaultText: 'must be given with gate_host',
    apply: 'restart',
    section: listening,
    path: 'listeners[0].port',
    historic: true,
    doc: 'Port on which clients connect. 0: any free one.',
  }),
  gate_codec: option(
    choice(codecs, {
      refuse: (word) =>
        LATER_CODECS.includes(word)
          ? `a codec that the original names and that this version does not have; codecs: ${codecs.join(', ')}`
          : undefined,
    }),
    {
      default: 'protobuf',
      apply: 'roll',
      section: listening,
      path: 'listeners[0].codec',
      historic: true,
      doc: 'The dialect of the clients, in any case.',
    },
  ),
  is_reuseport: option(flag(), {
    default: false,
    apply: 'restart',
    section: listening,
    path: 'config.isReuseport',
    historic: true,
    doc: 'Whether workers accept from one shared listening handle: faster when many clients come at once, but then nobody evens out the workers. Otherwise the manager accepts and passes each connection to the worker with the fewest.',
  }),
  node_host: option(host('no other nodes are served'), {
    default: '',
    apply: 'restart',
    section: listening,
    path: 'nodeHost',
    historic: true,
    doc: 'Address on which other nodes connect. Empty: none can, and the workers of this one do not reach the users and groups of each other.',
  }),
  node_port: option(port(), {
    default: 0,
    defaultText: 'must be given with node_host',
    apply: 'restart',
    section: listening,
    path: 'nodePort',
    historic: true,
    doc: 'Port on which other nodes connect. 0: any free one.',
  }),
  admin_host: option(host(), {
    default: '127.0.0.1',
    apply: 'restart',
    section: listening,
    path: 'admin.host',
    doc: 'Address of the admin pages (health, metrics, status). Everybody who reaches them can read; changes are taken from this machine only, and with tokens (admin_public_key).',
  }),
  admin_port: option(portOrNone(), {
    default: null,
    defaultText: 'gate_port + 6000, without gate node_port + 6000',
    apply: 'restart',
    section: listening,
    path: 'admin.port',
    doc: 'Port of the admin pages. 0: any free one; false: none.',
  }),
  admin_public_key: option(text('a public key of Ed25519 in base64 (DER, SPKI)', { pattern: /^[A-Za-z0-9+/]+=*$/ }), {
    default: '',
    apply: 'restart',
    section: listening,
    path: 'admin.publicKey',
    doc: 'Of an operator: with a token that it has signed for this node, changes are taken from everywhere. Empty: only from this machine.',
  }),
  log_path: option(text('a file'), {
    default: '',
    apply: 'restart',
    section: logging,
    historic: true,
    doc: 'File to log to, below the working directory. Empty: standard output.',
  }),
  log_level: option(
    choice(logLevels, {
      aliases: { notice: 'info', warning: 'warn', err: 'error', alert: 'fatal', crit: 'fatal', emerg: 'fatal' },
    }),
    {
      default: 'info',
      apply: 'live',
      section: logging,
      path: 'logLevel',
      historic: true,
      doc: 'Least level that is logged. notice of the original is info here; alert, crit and emerg are fatal.',
    },
  ),
  keep_alive: option(idleTime(DEFAULT_KEEP_ALIVE_MS), {
    default: DEFAULT_KEEP_ALIVE_MS,
    unit: 'ms',
    apply: 'live',
    section: 'Connections',
    path: 'keepAlive',
    historic: true,
    doc: 'A client that sends nothing for so long is closed. Numbers below 1000 are seconds, others milliseconds; 0 and less are the default. In a KimCluster numbers are milliseconds.',
  }),
};
