// DNS for pods: one process beside the control plane, behind the Service that every pod is told of.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import type { Kube } from './kube.ts';
import { pathOf } from './programs.ts';
import { DNS, POD_DOMAIN } from './services.ts';
import type { Slot } from './slot.ts';

const PORT = 10_053;

export interface DnsSettings {
  readonly slot: Slot;
  readonly address: string;
  readonly kubeconfig: string;
  readonly stays: boolean;
}

/** Starts it; names of pods and Services are known as soon as the API server is. */
export function startDns({ slot, address, kubeconfig, stays }: DnsSettings): Daemon {
  const file = join(slot.folder, 'Corefile');
  writeFileSync(file, corefile(address, kubeconfig));
  const daemon = new Daemon({ slot, name: 'coredns', program: pathOf('coredns'), args: ['-conf', file], stays });
  daemon.start();
  return daemon;
}

export async function announceDns(kube: Kube, address: string): Promise<void> {
  const ports = [
    { name: 'dns', port: 53, targetPort: PORT, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, targetPort: PORT, protocol: 'TCP' },
  ];
  await kube.apply(
    [
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns' }, spec: { clusterIP: DNS, ports } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'kube-dns-1', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [address] }],
        ports: ports.map(({ name, protocol }) => ({ name, protocol, port: PORT })),
      },
    ],
    'kube-system',
  );
}

/** Names that are not of the cluster do not exist: no test asks anybody outside. */
function corefile(address: string, kubeconfig: string): string {
  const zones = [POD_DOMAIN, 'in-addr.arpa', 'ip6.arpa'];
  return `${zones.map((zone) => `${zone}:${PORT}`).join(' ')} {
  bind ${address}
  errors
  kubernetes ${zones.join(' ')} {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 1
  }
}
.:${PORT} {
  bind ${address}
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;
}
