// spec.discovery of a KimCluster: where its nodes find each other.

import { host, name, port, whole } from './kinds.ts';
import { object, passed, text } from './shapes.ts';
import { zookeeperFields } from './store-options.ts';
import { z } from './z.ts';

/** Root of a cluster in ZooKeeper, as the original's sample has it. */
export const DEFAULT_ROOT = '/kimserver';

const members = 'a list of nodes, as [{ type: logic, host: 10.0.0.7, port: 4344, workers: 2 }]';

const member = object({
  type: name().written,
  host: host().written,
  port: port({ free: false }).written,
  workers: whole(1, 512).written.default(1),
});

const replicas = 'whole numbers from 1 to 9';

const { root, session_timeout_ms, auth, acl } = zookeeperFields;

/** Places in a KimCluster whose values are never printed, logged or dumped. */
export const clusterSecrets: readonly (readonly string[])[] = [['spec', 'discovery', 'zookeeper', 'auth']];

export const discovery = object({
  zookeeper: object({
    managed: object({
      replicas: z
        .int({ error: replicas })
        .min(1, { error: replicas })
        .max(9, { error: replicas })
        .default(3)
        .meta({ description: 'Servers of the ensemble that is run for the cluster.' }),
    })
      .optional()
      .meta({ description: 'A ZooKeeper of the cluster itself. On one machine a folder does its work, and nothing is started.' }),
    hosts: text('servers like zk-0:2181,zk-1:2181')
      .optional()
      .meta({ description: 'Servers of a ZooKeeper that is there already, with commas between them.' }),
    root: root.kind.written.optional().meta({ description: `Where the cluster lives in ZooKeeper; without it ${DEFAULT_ROOT}.` }),
    auth: auth.kind.written.optional().meta({ description: auth.doc }),
    acl: acl.kind.written.optional().meta({ description: `${acl.doc} Without it open.` }),
    sessionTimeoutMs: session_timeout_ms.kind.written.optional().meta({ description: session_timeout_ms.doc }),
  }).optional(),
  kubernetes: passed('discovery by the endpoints of its Services'),
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
  }).optional(),
});
