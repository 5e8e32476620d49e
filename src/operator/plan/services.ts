// Services of the tiers: one that leads clients to the gates, and headless ones by which nodes are found.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { metaOf, nameOf, selectorOf } from './names.ts';
import { CLIENT_PORT, clientPortName, portsOf } from './pod-config.ts';
import type { Manifest } from './types.ts';

export function clientService(cluster: KimCluster): Manifest {
  const { service } = cluster.spec.gate;
  const { type, annotations, labels, nodePort, loadBalancerClass, loadBalancerSourceRanges } = service;
  const { externalTrafficPolicy, internalTrafficPolicy } = service;
  const name = clientPortName(cluster);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(cluster, 'gate', nameOf(cluster, 'gate'), { labels, annotations }),
    spec: {
      type,
      selector: selectorOf(cluster, 'gate'),
      ports: [
        {
          name,
          port: portsOf(cluster, 'gate').client,
          targetPort: CLIENT_PORT,
          protocol: 'TCP',
          ...(nodePort !== undefined && { nodePort }),
        },
      ],
      ...(externalTrafficPolicy && { externalTrafficPolicy }),
      ...(internalTrafficPolicy && { internalTrafficPolicy }),
      ...(loadBalancerClass && { loadBalancerClass }),
      ...(loadBalancerSourceRanges && { loadBalancerSourceRanges }),
    },
  };
}

/** Who is ready is not asked: a node that lost its directory, or drains, still has clients that others push to. */
export function nodeService(cluster: KimCluster, tier: Tier): Manifest {
  const { node, admin } = portsOf(cluster, tier);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(cluster, tier, nameOf(cluster, tier, 'nodes')),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorOf(cluster, tier),
      ports: [
        { name: 'node', port: node, targetPort: 'node', protocol: 'TCP' },
        { name: 'admin', port: admin, targetPort: 'admin', protocol: 'TCP' },
      ],
    },
  };
}
