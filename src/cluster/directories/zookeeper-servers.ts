// The list of ZooKeeper servers as people write it: "10.0.0.1:2181,10.0.0.2:2181".

import type { ServerAddress } from './zookeeper-client.ts';

const DEFAULT_PORT = 2181;

/** Throws one sentence for what is no such list. */
export function parseServers(text: string): ServerAddress[] {
  if (text.includes('/')) throw new Error(`ZooKeeper servers "${text}" hold a "/"; a folder belongs in front of the root`);
  const servers = text.split(',').map((part) => part.trim());
  const found = servers.filter((part) => part !== '').map(parseServer);
  if (found.length === 0) throw new Error('no ZooKeeper server is given; write them as 10.0.0.1:2181,10.0.0.2:2181');
  return found;
}

function parseServer(text: string): ServerAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw new Error(`ZooKeeper server "${text}" is no HOST:PORT such as 10.0.0.1:2181`);
  return { host, port };
}
