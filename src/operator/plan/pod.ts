// The pods of a tier: one container with the node, its configuration, its probes and how it ends; then what the user wants beside it.

import type { KimCluster, Tier } from '../../config/cluster-schema.ts';
import { canonical } from '../../kube/json.ts';
import { CONFIG_FILE, type TierConfigMaps } from './config-maps.ts';
import { hasKubernetesDiscovery } from './directories.ts';
import { drainTimesOf } from './drain-times.ts';
import { labelsOf, marks, nameOf } from './names.ts';
import { CLIENT_PORT, MODULES_FOLDER, portsOf } from './pod-config.ts';
import { placement } from './placement.ts';
import { containerSecurity, podSecurity } from './security.ts';
import { secretVariables } from './stores.ts';
import { merged, type Merged, type Named, type PodTemplate } from './template.ts';
import type { Observed } from './types.ts';

/** The container of the node. */
export const CONTAINER = 'kimserver';
const CONFIG_FOLDER = '/etc/kimserver';
const COPY_FOLDER = '/copied';
const REVISION_LENGTH = 10;

/** The pod template of a tier, with its own revision on it, and what of the user's template could not be followed. */
export function tierPods(cluster: KimCluster, tier: Tier, observed: Observed, maps: TierConfigMaps, image: string): Merged {
  const { template, notes } = merged(ownTemplate(cluster, tier, observed, maps, image), cluster.spec[tier]?.template);
  const revision = observed.hash(canonical(template)).slice(0, REVISION_LENGTH);
  const annotations = { ...template.metadata.annotations, [marks.revision]: revision };
  return { template: { ...template, metadata: { ...template.metadata, annotations } }, notes };
}

export function revisionOf(template: PodTemplate): string {
  return template.metadata.annotations[marks.revision] ?? '';
}

function ownTemplate(cluster: KimCluster, tier: Tier, { operator }: Observed, maps: TierConfigMaps, image: string): PodTemplate {
  const { spec } = cluster;
  const { graceSeconds } = drainTimesOf(cluster, tier);
  const ports = portsOf(cluster, tier);
  const modules = modulesOf(cluster, operator.imageVolumes);
  const account = nameOf(cluster, tier);
  return {
    metadata: {
      labels: labelsOf(cluster, tier),
      annotations: spec.monitoring.enabled
        ? { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(ports.admin), 'prometheus.io/path': '/metrics' }
        : {},
    },
    spec: {
      serviceAccountName: account,
      automountServiceAccountToken: hasKubernetesDiscovery(cluster),
      // variables of all Services of the namespace are of no use, and many
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      securityContext: podSecurity(),
      ...placement(cluster, tier),
      ...(spec.imagePullSecrets && { imagePullSecrets: spec.imagePullSecrets }),
      ...(modules.init && { initContainers: [modules.init] }),
      containers: [nodeContainer(cluster, tier, maps, image, modules.mounts)],
      volumes: [
        { name: 'kimserver-config', configMap: { name: maps.live.metadata.name } },
        { name: 'kimserver-tmp', emptyDir: {} },
        ...modules.volumes,
      ],
    },
  };
}

function nodeContainer(cluster: KimCluster, tier: Tier, maps: TierConfigMaps, image: string, mounts: readonly object[]): Named {
  const { spec } = cluster;
  const { client, node, admin } = portsOf(cluster, tier);
  const { preStopSeconds } = drainTimesOf(cluster, tier);
  const probe = (path: string, times: object) => ({ httpGet: { path, port: 'admin' }, ...times });
  const resources = spec[tier]?.resources;
  const own = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: CONTAINER,
    ...imageOf(cluster, image),
    args: ['node', `${CONFIG_FOLDER}/${CONFIG_FILE}`],
    ports: [
      ...(client === undefined ? [] : [{ name: CLIENT_PORT, containerPort: client, protocol: 'TCP' }]),
      { name: 'node', containerPort: node, protocol: 'TCP' },
      { name: 'admin', containerPort: admin, protocol: 'TCP' },
    ],
    envFrom: [{ configMapRef: { name: maps.lasting.metadata.name } }],
    env: [
      own('POD_NAME', 'metadata.name'),
      own('POD_NAMESPACE', 'metadata.namespace'),
      own('POD_IP', 'status.podIP'),
      own('KIM_SERVER_NAME', 'metadata.name'),
      own('KIM_NODE_HOST', 'status.podIP'),
      ...secretVariables(cluster),
    ],
    ...(resources && { resources: amountsAsTexts(resources) }),
    // a minute to start, then it counts as stuck
    startupProbe: probe('/livez', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 }),
    readinessProbe: probe('/readyz', { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }),
    // a node under load is slow to answer; to kill it would make all others slower
    livenessProbe: probe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    securityContext: containerSecurity,
    volumeMounts: [
      { name: 'kimserver-config', mountPath: CONFIG_FOLDER, readOnly: true },
      { name: 'kimserver-tmp', mountPath: '/tmp' },
      ...mounts,
    ],
  };
}

function imageOf({ spec }: KimCluster, image: string): object {
  return { image, ...(spec.imagePullPolicy && { imagePullPolicy: spec.imagePullPolicy }) };
}

interface Modules {
  readonly init?: Named;
  readonly volumes: readonly Named[];
  readonly mounts: readonly object[];
}

/** The users' modules: copied out of their image before the node starts, or the image itself as a volume. */
function modulesOf(cluster: KimCluster, asVolume: boolean): Modules {
  const image = cluster.spec.modules?.image;
  if (image === undefined) return { volumes: [], mounts: [] };
  const name = 'kimserver-modules';
  const { imagePullPolicy: pullPolicy } = cluster.spec;
  if (asVolume) {
    const source = { reference: image, ...(pullPolicy && { pullPolicy }) };
    return {
      volumes: [{ name, image: source }],
      mounts: [{ name, mountPath: MODULES_FOLDER, subPath: 'modules', readOnly: true }],
    };
  }
  const init = {
    name: 'modules',
    ...imageOf(cluster, image),
    command: ['cp', '-R', `${MODULES_FOLDER}/.`, COPY_FOLDER],
    securityContext: containerSecurity,
    volumeMounts: [{ name, mountPath: COPY_FOLDER }],
  };
  return {
    init,
    volumes: [{ name, emptyDir: {} }],
    mounts: [{ name, mountPath: MODULES_FOLDER, readOnly: true }],
  };
}

type Amounts = Readonly<Record<string, string | number>>;

/** Kubernetes knows amounts as texts; a number would look changed each time. */
export function amountsAsTexts({ requests, limits }: { requests?: Amounts | undefined; limits?: Amounts | undefined }): object {
  const texts = (amounts: Amounts) => Object.fromEntries(Object.entries(amounts).map(([key, amount]) => [key, String(amount)]));
  return { ...(requests && { requests: texts(requests) }), ...(limits && { limits: texts(limits) }) };
}
