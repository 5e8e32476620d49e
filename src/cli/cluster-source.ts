// Where "kim cluster" looks: ZooKeeper, or the folder in which the nodes of "kim up" announce themselves.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FileDirectory } from '../cluster/directories/file.ts';
import type { ZookeeperConnection } from '../cluster/directories/zookeeper-client.ts';
import { lookAtZookeeper } from '../cluster/directories/zookeeper-look.ts';
import { pathsOf } from '../cluster/directories/zookeeper-records.ts';
import { parseServers } from '../cluster/directories/zookeeper-servers.ts';
import { ZookeeperSession } from '../cluster/directories/zookeeper-session.ts';
import type { Member } from '../cluster/member.ts';
import { userPath } from './paths.ts';
import { Failure, UsageError } from './problem.ts';

export interface ClusterLook {
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number;
  /** Where it was taken, for people. */
  readonly from: string;
  readonly members: readonly Member[];
  /** Reports by address, as JSON; none where the directory holds none. */
  readonly payloads: ReadonlyMap<string, string>;
  /** Records that make no member. */
  readonly bad: readonly string[];
}

export interface ClusterSource {
  /** Throws a Failure when nothing can be seen. */
  look(): Promise<ClusterLook>;
  close(): Promise<void>;
}

const SESSION_TIMEOUT_MS = 10_000;

/** Connects with the first look. `authFile` holds USER:PASSWORD in one line. */
export function zookeeperSource(servers: string, root: string, authFile: string | undefined): ClusterSource {
  const options = checked(() => ({ servers: parseServers(servers), paths: pathsOf(root) }));
  const auth = authFile === undefined ? undefined : readAuth(authFile);
  let next = Promise.withResolvers<ZookeeperConnection>();
  next.promise.catch(() => undefined);
  const forget = () => {
    next = Promise.withResolvers();
    next.promise.catch(() => undefined);
  };
  const session = new ZookeeperSession(
    { servers: options.servers, sessionTimeoutMs: SESSION_TIMEOUT_MS, auth, acl: 'open' },
    {
      up: (connection) => next.resolve(connection),
      lost: forget,
      down(reason) {
        next.reject(new Failure(reason));
        forget();
      },
    },
  );
  session.open();
  return {
    async look() {
      const connection = await next.promise;
      const found = await lookAtZookeeper(connection, root).catch((error: unknown) => {
        throw new Failure((error as Error).message, { cause: error });
      });
      if (found === undefined) {
        throw new Failure(`there is no cluster under ${root} in the ZooKeeper at ${connection.server}; --root names another folder`);
      }
      return { at: Date.now(), from: `ZooKeeper ${connection.server}, ${root}`, ...found };
    },
    close: () => session.close(),
  };
}

/** The nodes that "kim up" runs; without a name the cluster that is there, if it is one. */
export function folderSource(name: string | undefined): ClusterSource {
  const folder = membersFolder(name);
  const directory = new FileDirectory({ folder });
  let members: readonly Member[] | undefined;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined);
  directory.open({
    members(list) {
      members = list;
      first.resolve();
    },
    health({ state, detail }) {
      if (state === 'down') first.reject(new Failure(detail));
    },
  });
  return {
    async look() {
      await first.promise;
      return { at: Date.now(), from: folder, members: members ?? [], payloads: new Map(), bad: [] };
    },
    close: () => directory.close(),
  };
}

function membersFolder(name: string | undefined): string {
  const kim = userPath('.kim');
  const of = (cluster: string) => join(kim, cluster, 'members');
  if (name !== undefined) {
    if (!existsSync(of(name))) throw new Failure(`${resolve(of(name))} is not there; no cluster "${name}" was run here with "kim up"`);
    return of(name);
  }
  const names = existsSync(kim) ? readdirSync(kim).filter((one) => existsSync(of(one))) : [];
  if (names.length === 0) throw new Failure(`no cluster was run in this folder with "kim up"; --zookeeper looks into a ZooKeeper`);
  if (names.length > 1) throw new UsageError(`there are several clusters here; name one of ${names.join(', ')}`);
  return of(names[0]!);
}

function readAuth(file: string): { user: string; password: string } {
  let text: string;
  try {
    text = readFileSync(userPath(file), 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--auth-file ${file} cannot be read: ${(error as Error).message}`);
  }
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || text.includes('\n'))
    throw new UsageError(`--auth-file ${file} holds no USER:PASSWORD in one line`);
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
