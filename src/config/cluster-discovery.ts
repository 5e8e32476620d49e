// spec.discovery of a KimCluster: where its nodes find each other.

import { authSecret } from './cluster-access.ts';
import { managedZookeeper } from './cluster-zookeeper.ts';
import { host, name, port, whole } from './kinds.ts';
import { ruled, type Rule } from './rules.ts';
import { object, text, word } from './shapes.ts';
import { zookeeperFields } from './store-options.ts';
import { z } from './z.ts';

/** Root of a cluster in ZooKeeper, as the original's sample has it. */
export const DEFAULT_ROOT = '/kimserver';

const members = 'a list of nodes, as [{ type: logic, host: 10.0.0.7, port: 4344, workers: 2 }]';

const member = object({
  type: name().written.meta({ description: 'Type of the node: gate, logic, or any word.' }),
  host: host().written.meta({ description: 'Address of its node port.' }),
  port: port({ free: false }).written.meta({ description: 'Its node port.' }),
  workers: whole(1, 512).written.default(1).meta({ description: 'Number of its workers.' }),
}).meta({ description: 'A node that is known without a directory.' });

const { root, session_timeout_ms, auth, acl } = zookeeperFields;

/** Places in a KimCluster whose values are never printed, logged or dumped. */
export const clusterSecrets: readonly (readonly string[])[] = [['spec', 'discovery', 'zookeeper', 'auth']];

const zookeeper = ruled(
  object({
    managed: managedZookeeper
      .optional()
      .meta({ description: 'A ZooKeeper of the cluster itself. On one machine a folder does its work, and nothing is started.' }),
    hosts: text('servers like zk-0:2181,zk-1:2181', { pattern: /^\S+$/ })
      .optional()
      .meta({ description: 'Servers of a ZooKeeper that is there already, with commas between them.' }),
    root: root.kind.written.optional().meta({ description: `Where the cluster lives in ZooKeeper; without it ${DEFAULT_ROOT}.` }),
    auth: auth.kind.written
      .optional()
      .meta({ description: `${auth.doc} Whoever can read the KimCluster can read it: in Kubernetes take authSecret.` }),
    authSecret: authSecret.optional(),
    acl: acl.kind.written.optional().meta({ description: `${acl.doc} Without it open.` }),
    sessionTimeoutMs: session_timeout_ms.kind.written.optional().meta({ description: session_timeout_ms.doc }),
  }),
  [
    {
      rule: "!(has(self.acl) && self.acl.trim().lowerAscii() == 'creator') || has(self.auth) || has(self.authSecret)",
      message: 'acl is "creator" without auth, so nobody would be the creator; give auth or authSecret, or take "open"',
      holds: (given) => given.acl !== 'creator' || given.auth !== undefined || given.authSecret !== undefined,
    },
    {
      rule: '!(has(self.managed) && has(self.hosts))',
      message: 'both managed and hosts are given; name the hosts of a ZooKeeper that is there, or have one managed',
      holds: (given) => given.managed === undefined || given.hosts === undefined,
    },
    {
      rule: 'has(self.managed) || has(self.hosts)',
      message: 'neither managed nor hosts is given; write managed: {} to have one run, or hosts: zk-0:2181',
      holds: (given) => given.managed !== undefined || given.hosts !== undefined,
    },
    {
      rule: '!(has(self.auth) && has(self.authSecret))',
      message: 'both auth and authSecret are given; keep authSecret',
      holds: (given) => given.auth === undefined || given.authSecret === undefined,
    },
  ],
);

/** Directories that a KimCluster can have, the usual order. */
const directoryNames = ['zookeeper', 'kubernetes', 'file', 'static'] as const;
export type ClusterDirectory = (typeof directoryNames)[number];

const fields = object({
  primary: word(...directoryNames)
    .optional()
    .meta({
      description: 'The directory that counts while it answers. Without it the first that is given of zookeeper, kubernetes, file, static.',
    }),
  fallback: word(...directoryNames)
    .optional()
    .meta({ description: 'The directory that counts while the primary one does not answer. Without it the next that is given.' }),
  zookeeper: zookeeper.optional().meta({ description: 'ZooKeeper, where C++ nodes find each other too.' }),
  kubernetes: object({}).optional().meta({
    description: 'Discovery by the endpoints of the Services that the cluster has, alone or as the fallback beside zookeeper: {}.',
  }),
  file: object({
    path: text('a folder').optional().meta({
      description: 'Folder of the members, relative to this file; without it .kim/NAME/members in the folder that "kim up" is run in.',
    }),
  })
    .optional()
    .meta({ description: 'A folder on this machine, alone or as the fallback beside ZooKeeper.' }),
  static: object({
    members: z
      .array(member, { error: members })
      .min(1, { error: members })
      .max(1000, { error: members })
      .meta({ description: 'Nodes that are known without a directory.' }),
  })
    .optional()
    .meta({ description: 'A list of nodes that never change.' }),
});

/** What `primary` or `fallback` names must be there. */
function named(which: 'primary' | 'fallback'): Rule<z.output<typeof fields>> {
  const isThere = directoryNames.map((directory) => `(self.${which} == '${directory}' && has(self.${directory}))`).join(' || ');
  return {
    rule: `!has(self.${which}) || ${isThere}`,
    message: `${which} names a directory that is not given beside it; give zookeeper, kubernetes, file or static as well`,
    holds: (given) => given[which] === undefined || given[given[which]] !== undefined,
  };
}

export const discovery = ruled(fields, [
  named('primary'),
  named('fallback'),
  {
    rule: '!has(self.primary) || !has(self.fallback) || self.primary != self.fallback',
    message: 'fallback is the same as primary; name two directories, or one of them only',
    holds: ({ primary, fallback }) => primary === undefined || primary !== fallback,
  },
]);

/** The directories that are given, the one that counts first at the front. */
export function directoriesOf(given: z.output<typeof discovery> | undefined): ClusterDirectory[] {
  const { primary, fallback } = given ?? {};
  const rest = directoryNames.filter((name) => given?.[name] !== undefined && name !== primary && name !== fallback);
  const [first, ...others] = [...(primary === undefined ? [] : [primary]), ...rest];
  if (fallback === undefined || first === undefined) return [first, ...others].filter((one) => one !== undefined);
  return [first, fallback, ...others];
}
