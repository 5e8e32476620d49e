// Options of the stores and of ZooKeeper, in the shapes of co_kimserver and of its first version.

import { field, option, type Kind } from './field.ts';
import { group, mapOf, objectOf, type RawObject } from './groups.ts';
import { choice, duration, flag, host, list, port, text, whole } from './kinds.ts';

const redisNode = group({
  host: field(host(), { doc: 'Host of the Redis server.' }),
  port: field(port({ free: false }), { default: 6379, doc: 'Port of the Redis server.' }),
  max_conn_cnt: field(whole(1, 10, { capped: true }), { default: 3, unit: 'connections', doc: 'Size of the pool of each worker.' }),
});

const databaseNode = group({
  host: field(host(), { doc: 'Host of the MySQL server.' }),
  port: field(port({ free: false }), { default: 3306, doc: 'Port of the MySQL server.' }),
  user: field(text('a user name', { min: 1 }), { doc: 'User to log in as.' }),
  password: field(text('a text'), { default: '', secret: true, doc: 'Password of the user. Never printed, logged or dumped.' }),
  charset: field(text('a character set', { min: 1 }), { default: 'utf8mb4', doc: 'Character set of the connections.' }),
  max_conn_cnt: field(whole(1, 100, { capped: true }), { default: 5, unit: 'connections', doc: 'Size of the pool of each worker.' }),
  name: field(text('a database', { min: 1 }), { default: 'mysql', doc: 'Database to open.' }),
});

const databaseNodes = mapOf('NODE', databaseNode);
const databaseGroup = group({
  slowlog_log_slower_than: field(whole(0, 86_400_000), {
    default: 0,
    unit: 'ms',
    doc: 'Statements that take longer are logged; 0 logs every statement.',
  }),
  nodes: field(databaseNodes, { default: {}, doc: 'The databases by name.' }),
});

/** The first version has the databases directly under `database`, without `nodes`. */
const database: typeof databaseGroup = {
  ...databaseGroup,
  read(raw, place) {
    const object = objectOf(raw);
    if (object === undefined) return databaseGroup.read(raw, place);
    const isDirect = ([key, value]: [string, unknown]) => key !== 'nodes' && objectOf(value) !== undefined;
    const entries = Object.entries(object);
    const current = databaseGroup.read(Object.fromEntries(entries.filter((entry) => !isDirect(entry))), place);
    const direct = databaseNodes.read(Object.fromEntries(entries.filter(isDirect)), place);
    return current && { ...current, nodes: { ...direct, ...current.nodes } };
  },
};

const zkPath = text('a path like /kimserver', { pattern: /^(\/[^/\s]+)+\/?$/, max: 200 });
const watched = field(list(), { default: [] as readonly string[], doc: 'Node types whose nodes this node wants to know.' });

/** Fields of the `zookeeper` group. */
export const zookeeperFields = {
  is_open: field(flag(), { default: false, doc: 'Whether the node announces itself in ZooKeeper and watches it.' }),
  servers: field(text('servers like zk-0:2181,zk-1:2181'), { default: '', doc: 'Servers, with commas between them.' }),
  log_path: field(text('a file'), { default: '', doc: 'Kept for the original; ours logs to the log of the node.' }),
  log_level: field(choice(['debug', 'info', 'warn', 'error'], { aliases: { warning: 'warn', err: 'error' } }), {
    default: 'info',
    doc: 'Least level of what the ZooKeeper client logs.',
  }),
  root: field(zkPath, { default: '', doc: 'Where the cluster lives: nodes in ROOT/nodes, their load in ROOT/payload.' }),
  watch_node_type: watched,
  session_timeout_ms: field(duration(1000), {
    default: 10_000,
    unit: 'ms',
    doc: 'Time after which ZooKeeper takes a silent node for gone.',
  }),
  auth: field(text('user:password', { pattern: /^[^:\s]+:\S.*$/ }), {
    default: '',
    secret: true,
    doc: 'User and password of the digest authentication. Empty: none. Never printed, logged or dumped.',
  }),
  acl: field(choice(['open', 'creator'] as const), {
    default: 'open',
    doc: 'Who may read and change what the node writes: everybody, as C++ nodes need it, or only who has the same auth.',
  }),
};
const zookeeperGroup = group(zookeeperFields);

const firstNodes = group({ root: field(zkPath, { doc: 'ROOT/nodes.' }), subscribe_node_type: watched });
const firstPayload = group({ root: field(zkPath, { default: '', doc: 'ROOT/payload.' }) });

/** The first version names the folders of nodes and payload instead of their root, and always opens ZooKeeper. */
const zookeeper: typeof zookeeperGroup = {
  ...zookeeperGroup,
  read(raw, place) {
    const object = objectOf(raw);
    const isFirst = object !== undefined && (object['nodes'] !== undefined || object['payload'] !== undefined);
    const value = zookeeperGroup.read(isFirst ? fromFirst(object, place) : raw, place);
    if (value === undefined) return undefined;
    const root = value.root.replace(/\/$/, '');
    if (value.is_open && value.servers === '') place.report.problem(`${place.path}.servers`, 'is missing though ZooKeeper is open');
    if (value.is_open && root === '' && !isFirst) place.report.problem(`${place.path}.root`, 'is missing though ZooKeeper is open');
    if (value.servers !== '' && object?.['is_open'] === undefined && !isFirst) {
      place.report.note(`${place.path}.servers`, 'is given but is_open is not, so ZooKeeper stays closed; set is_open to true to use it');
    }
    if (value.acl === 'creator' && value.auth === '') {
      place.report.problem(`${place.path}.acl`, 'is "creator" without auth, so nobody would be the creator; give auth, or take "open"');
    }
    return { ...value, root };
  },
};

function fromFirst(object: RawObject, place: Parameters<Kind<unknown>['read']>[1]): RawObject {
  const { nodes, payload, ...rest } = object;
  const sub = (key: string) => ({ ...place, path: `${place.path}.${key}` });
  const given = firstNodes.read(nodes ?? {}, sub('nodes'));
  const load = firstPayload.read(payload ?? {}, sub('payload'));
  const nodesRoot = (given?.root ?? '').replace(/\/$/, '');
  const payloadRoot = (load?.root ?? '').replace(/\/$/, '');
  const root = nodesRoot.replace(/\/nodes$/, '');
  if (nodesRoot !== '' && (root === nodesRoot || root === '' || (payloadRoot !== '' && payloadRoot !== `${root}/payload`))) {
    place.report.problem(
      `${place.path}.nodes.root`,
      `is ${JSON.stringify(nodesRoot)} beside payload.root ${JSON.stringify(payloadRoot)}; both must lie under one root, as /kimserver/nodes and /kimserver/payload`,
    );
  }
  return { is_open: true, root, watch_node_type: given?.subscribe_node_type ?? [], ...rest };
}

export const storeOptions = {
  redis: option(mapOf('NODE', redisNode), {
    default: {},
    apply: 'roll',
    section: 'Stores',
    historic: true,
    doc: 'Redis servers by name, for modules that use Redis. Checked and kept; this version does not connect yet.',
  }),
  database: option(database, {
    default: { slowlog_log_slower_than: 0, nodes: {} },
    apply: 'roll',
    section: 'Stores',
    historic: true,
    doc: 'MySQL databases by name, for modules that use them. Checked and kept; this version does not connect yet.',
  }),
  zookeeper: option(zookeeper, {
    default: {
      is_open: false,
      servers: '',
      log_path: '',
      log_level: 'info',
      root: '',
      watch_node_type: [],
      session_timeout_ms: 10_000,
      auth: '',
      acl: 'open',
    },
    apply: 'restart',
    section: 'ZooKeeper',
    historic: true,
    doc: 'The ZooKeeper in which nodes find each other, those of the original too.',
  }),
};
