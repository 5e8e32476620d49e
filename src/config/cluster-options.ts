// Options of a node among others: where it finds them, what it relays to them, its links, and the clients that it serves for them.

import { option, type Field, type Option } from './field.ts';
import { group } from './groups.ts';
import { bytes, choice, duration, host, list, name, port, text, whole } from './kinds.ts';
import { camel, type Camel } from './limit-options.ts';
import { listOf } from './lists.ts';
import { route } from './route-kind.ts';
import type { RouteConfig } from './route.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const section = 'Cluster';

/** Ways to find other nodes that this version has. */
export const directories = ['zookeeper', 'kubernetes', 'file', 'static'] as const;
export type DirectoryName = (typeof directories)[number];

const member = group({
  type: { kind: name(), doc: 'Type of the node: gate, logic, or any word.' },
  host: { kind: host(), doc: 'Address of its node port.' },
  port: { kind: port({ free: false }), doc: 'Its node port.' },
  workers: { kind: whole(1, 512), default: 1, unit: 'processes', doc: 'Number of its workers.' },
});

/** A node of the list in the configuration. */
export interface StaticMember {
  readonly type: string;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
}

const placeOptions = {
  routes: option(listOf('routes', route()), {
    default: [] as readonly RouteConfig[],
    apply: 'roll',
    section,
    path: 'routes',
    doc: 'Which commands other nodes answer. A KimCluster with logic nodes and without routes relays everything that the modules of its gates do not answer; module_gate of the original does the same with the data as key.',
  }),
  discovery: option(listOf('directories', choice(directories)), {
    default: [] as readonly DirectoryName[],
    defaultText: 'those that are configured',
    apply: 'restart',
    section,
    doc: 'Where nodes find each other, the preferred one first: zookeeper, kubernetes (kubernetes_selector), file (directory_path), static (members). The node is announced in all of them, and losing one is no outage.',
  }),
  directory_path: option(text('a folder'), {
    default: '',
    apply: 'restart',
    section,
    doc: 'Folder in which nodes on one machine find each other without any server. Empty: none.',
  }),
  kubernetes_selector: option(text('labels of EndpointSlices, as kimserver.io/cluster=demo'), {
    default: '',
    apply: 'restart',
    section,
    doc: 'Labels of the EndpointSlices whose endpoints are the nodes of the cluster, each under its port "node"; the API server is that of the pod, or of KUBECONFIG. Empty: none.',
  }),
  kubernetes_namespace: option(text('a namespace'), {
    default: '',
    defaultText: 'that of the pod, or of the context',
    apply: 'restart',
    section,
    doc: 'Namespace of these EndpointSlices.',
  }),
  members: option(listOf('members', member, 1000), {
    default: [] as readonly StaticMember[],
    apply: 'restart',
    section,
    doc: 'Other nodes that are known without a directory and never change.',
  }),
  watch_types: option(list(), {
    default: [] as readonly string[],
    defaultText: 'zookeeper.watch_node_type, else gate and logic',
    apply: 'restart',
    section,
    path: 'config.watchTypes',
    doc: 'Node types whose nodes this node wants to know; its own type and those of its routes are always among them.',
  }),
  gate_advertise: option(text('an address like gate.example.com:3355', { pattern: /^\S+:\d{1,5}$/ }), {
    default: '',
    apply: 'live',
    section,
    path: 'listeners[0].advertise',
    doc: 'Address, with port, that clients of other gates are told when they are asked to move here. Empty: the one that they dialled.',
  }),
  relay_in_flight: option(whole(1, 65_536), {
    default: 64,
    unit: 'requests',
    apply: 'roll',
    section,
    path: 'limits.relayInFlight',
    doc: 'Requests of one client that may be on their way to other nodes at the same time; replies keep the order of the requests. Above it they wait.',
  }),
};

type Setting = Omit<Field<number>, 'default'> & { readonly default: number };
type LinkKey<K extends string> = K extends `link_${infer Rest}` ? Camel<Rest> : Camel<K>;

/** Under `links` in a tier, without the "link_" that begins most keys; live in running workers. */
function links<K extends string>(table: Readonly<Record<K, Setting>>): { readonly [P in K]: Option<number> } {
  const entries = Object.entries<Setting>(table).map(
    ([key, setting]) => [key, { ...setting, apply: 'live', section, path: `links.${linkName(key)}` }] as const,
  );
  return Object.fromEntries(entries) as { [P in K]: Option<number> };
}

/** `link_connect_ms` is `connectMs` in a tier. */
export function linkName<K extends string>(key: K): LinkKey<K> {
  return camel(key.replace(/^link_/, '')) as LinkKey<K>;
}

export const linkOptions = links({
  link_connect_ms: { kind: duration(1), default: 1000, unit: 'ms', doc: 'Time in which a link to another node must be connected.' },
  link_handshake_ms: {
    kind: duration(1),
    default: 2000,
    unit: 'ms',
    doc: 'Time in which both ends of a new link must have said who they are.',
  },
  link_timeout_ms: {
    kind: duration(1),
    default: 3000,
    unit: 'ms',
    doc: 'Time in which another node must answer; routes may have their own.',
  },
  link_heartbeat_ms: {
    kind: duration(100),
    default: 2000,
    unit: 'ms',
    doc: 'A link on which nothing came for so long is asked whether it lives; one to an original when nothing went out either.',
  },
  link_backoff_ms: {
    kind: duration(1),
    default: 1000,
    unit: 'ms',
    doc: 'Longest wait before a link that could not be opened is tried again; the wait doubles from a short one.',
  },
  link_queue: {
    kind: whole(1, 10_000_000),
    default: 10_000,
    unit: 'requests',
    doc: 'Requests that may wait for one link, while it opens or is full. One more fails at once with code 7.',
  },
  link_in_flight: {
    kind: whole(1, 10_000_000),
    default: 65_536,
    unit: 'requests',
    doc: 'Requests that may be without an answer on one link at the same time. Above it they wait. An original node gets one at a time.',
  },
  link_max_frame: {
    kind: bytes(64, GIB),
    default: 64 * MIB,
    unit: 'bytes',
    doc: 'Largest body of a frame between nodes. A link that announces more is closed.',
  },
  link_pool: {
    kind: whole(1, 100),
    default: 10,
    unit: 'links',
    doc: 'Links that a worker opens to one worker of an original node, which answers one request at a time on each.',
  },
  breaker_failures: {
    kind: whole(1, 1_000_000),
    default: 5,
    unit: 'requests',
    doc: 'Requests in a row that a node leaves without an answer before it is left alone; a refused connection is enough at once.',
  },
  breaker_ms: {
    kind: duration(1),
    default: 2000,
    unit: 'ms',
    doc: 'How long a node that does not answer is left alone before it is tried again. Others take its share meanwhile.',
  },
});

export const sessionOptions = {
  second_login: option(choice(['replace', 'refuse'] as const), {
    default: 'replace',
    apply: 'live',
    section,
    path: 'sessions.secondLogin',
    doc: 'What happens when a user who is connected logs in once more: the new connection replaces the old one, which is told, or it is refused.',
  }),
  client_heartbeat_ms: option(duration(100), {
    default: 30_000,
    unit: 'ms',
    apply: 'live',
    section,
    path: 'sessions.clientHeartbeatMs',
    doc: 'How often clients that began with HELLO are told to send a heartbeat. Other clients are asked nothing.',
  }),
  resume_ms: option(duration(0), {
    default: 30_000,
    unit: 'ms',
    apply: 'live',
    section,
    path: 'sessions.resumeMs',
    doc: 'How long a client that lost its connection, or moves to another gate, can go on with its session. With 0 it can not.',
  }),
  max_lost_sessions: option(whole(1, 10_000_000), {
    default: 10_000,
    unit: 'sessions',
    apply: 'live',
    section,
    path: 'sessions.maxLostSessions',
    doc: 'Sessions that one worker keeps for resume_ms for clients that lost their connections. The one that was lost first makes place for one more.',
  }),
  max_remote_sessions: option(whole(1, 10_000_000), {
    default: 100_000,
    unit: 'sessions',
    apply: 'live',
    section,
    path: 'sessions.maxRemoteSessions',
    doc: 'Clients of gates that one worker of a logic node keeps sessions for. For one more the longest idle one makes place that has not logged in and has asked nothing for a second; where there is none, its request gets code 7.',
  }),
  remote_session_idle_ms: option(duration(1000), {
    default: 300_000,
    unit: 'ms',
    apply: 'live',
    section,
    path: 'sessions.remoteSessionIdleMs',
    doc: 'Session of a client of a gate that is forgotten after so long without a request, if the gate has not said before that the client is gone.',
  }),
};

export const clusterOptions = { ...placeOptions, ...linkOptions, ...sessionOptions };
