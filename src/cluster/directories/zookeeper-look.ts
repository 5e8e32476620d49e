// One look at a whole cluster in ZooKeeper, of all node types and with the loads that nodes report: for people, not for links.

import { addressOf, type Member } from '../member.ts';
import { codeOf, type ZookeeperConnection } from './zookeeper-client.ts';
import { mergeRecords, pathsOf, readNode } from './zookeeper-records.ts';

export interface ZookeeperLook {
  readonly members: readonly Member[];
  /** What nodes last reported, by their addresses, as it stands there. */
  readonly payloads: ReadonlyMap<string, string>;
  /** Names of records that make no member. */
  readonly bad: readonly string[];
}

type Records = (readonly [leaf: string, data: Buffer])[];

/** Undefined where there is no such root. */
export async function lookAtZookeeper(connection: ZookeeperConnection, root: string): Promise<ZookeeperLook | undefined> {
  const paths = pathsOf(root);
  const [nodeTypes, factTypes, payloadTypes] = await Promise.all(
    [paths.nodes, paths.kim, paths.payload].map((path) => childrenOf(connection, path)),
  );
  if (nodeTypes === undefined && factTypes === undefined) return undefined;
  const [nodes, facts, payloads] = await Promise.all([
    readAll(connection, paths.nodes, nodeTypes),
    readAll(connection, paths.kim, factTypes),
    readAll(connection, paths.payload, payloadTypes),
  ]);
  const { members, bad } = mergeRecords(nodes, facts);
  const addresses = new Map(
    nodes.flatMap(([leaf, data]) => {
      const member = readNode(leaf, data);
      return member === undefined ? [] : [[leaf, addressOf(member)] as const];
    }),
  );
  // a node that drains has a report, but no record of the same name any more
  const owner = (leaf: string, data: Buffer) => addresses.get(leaf) ?? reporter(data);
  return { members, payloads: new Map(payloads.map(([leaf, data]) => [owner(leaf, data), data.toString()])), bad };
}

async function childrenOf(connection: ZookeeperConnection, path: string): Promise<string[] | undefined> {
  try {
    return await connection.children(path);
  } catch (error) {
    if (codeOf(error) === 'noNode') return undefined;
    throw error;
  }
}

async function readAll(connection: ZookeeperConnection, folder: string, types: readonly string[] = []): Promise<Records> {
  const found = await Promise.all(
    types.map(async (type) => {
      const leaves = (await childrenOf(connection, `${folder}/${type}`)) ?? [];
      return Promise.all(leaves.map((leaf) => readOne(connection, `${folder}/${type}`, leaf)));
    }),
  );
  return found.flat(2);
}

async function readOne(connection: ZookeeperConnection, folder: string, leaf: string): Promise<Records> {
  try {
    return [[leaf, (await connection.get(`${folder}/${leaf}`)).data]];
  } catch (error) {
    if (codeOf(error) === 'noNode') return [];
    throw error;
  }
}

/** The address that a report itself names; '' for what is none. */
function reporter(data: Buffer): string {
  try {
    const { node } = JSON.parse(data.toString()) as { node?: { node_host?: unknown; node_port?: unknown } };
    return node === undefined ? '' : `${String(node.node_host)}:${String(node.node_port)}`;
  } catch {
    return '';
  }
}
