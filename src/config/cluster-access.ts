// Who may reach the pods of a KimCluster, and how they are watched.

import { duration } from './kinds.ts';
import { flag, labels, listOf, object, objectName, passed, text } from './shapes.ts';

const peer = passed('a peer: ipBlock, podSelector, namespaceSelector').meta({
  description: 'Who is let in, as in a NetworkPolicy: ipBlock, or podSelector and namespaceSelector.',
});

/** NetworkPolicies of the pods. */
export const networkPolicy = object({
  enabled: flag()
    .default(true)
    .meta({ description: 'Whether there are NetworkPolicies. They count only where the network of the cluster heeds them.' }),
  from: listOf(peer, 'peers', 32).optional().meta({ description: 'Who may connect as a client. Without it everybody.' }),
  metricsFrom: listOf(peer, 'peers', 32)
    .optional()
    .meta({ description: 'Who may reach the admin ports (health and metrics) besides the operator. Without it every pod of the cluster.' }),
});

/** How Prometheus finds the pods. */
export const monitoring = object({
  enabled: flag().default(true).meta({ description: 'Whether pods carry the annotations prometheus.io/scrape, port and path.' }),
  serviceMonitor: object({
    enabled: flag().default(true).meta({ description: 'Whether there is a ServiceMonitor; only where the cluster knows that kind.' }),
    interval: duration(1000).written.optional().meta({ description: 'How often it is asked. Without it as Prometheus is set up.' }),
    labels: labels().optional().meta({ description: 'Labels by which a Prometheus picks its ServiceMonitors.' }),
  })
    .optional()
    .meta({ description: 'A ServiceMonitor of the Prometheus operator.' }),
});

const secretRef = (key: string) =>
  object({
    name: objectName('a Secret').meta({ description: 'Name of the Secret, in the namespace of the KimCluster.' }),
    key: text('a key of the Secret', { max: 253, pattern: /^[-._a-zA-Z0-9]+$/ })
      .default(key)
      .meta({ description: 'Key in the Secret.' }),
  });

/** A Secret with user and password of a ZooKeeper. */
export const authSecret = secretRef('auth').meta({ description: 'Secret that holds USER:PASSWORD for ZooKeeper.' });

/** What modules store in. */
export const stores = object({
  redis: object({
    secretRef: secretRef('redis.json').meta({ description: 'Secret with the servers by name, as JSON in the shape of the option redis.' }),
  })
    .optional()
    .meta({ description: 'Redis, for modules that use it.' }),
  mysql: object({
    secretRef: secretRef('mysql.json').meta({ description: 'Secret with the databases by name, as JSON in the shape of database.nodes.' }),
  })
    .optional()
    .meta({ description: 'MySQL, for modules that use it.' }),
});
