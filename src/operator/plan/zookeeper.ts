// The ZooKeeper of a cluster: a StatefulSet whose pods are replaced one at a time and only while the others have a quorum.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { quantityValue } from '../../config/quantities.ts';
import { accessOf } from './access.ts';
import { budget } from './budget.ts';
import { managedOf, serversOf, ZOOKEEPER_PORT, type ManagedZookeeper } from './directories.ts';
import { imageFor } from './images.ts';
import { labelsOf, metaOf, nameOf, selectorOf } from './names.ts';
import { PEER_PORTS, zookeeperPolicy } from './network.ts';
import { once } from './once.ts';
import { placement } from './placement.ts';
import { amountsAsTexts } from './pod.ts';
import { containerSecurity, podSecurity } from './security.ts';
import { merged, type Merged } from './template.ts';
import type { Manifest, Observed, OperatorFacts } from './types.ts';

export const ZOOKEEPER_CONTAINER = 'zookeeper';
/** The user of the official image. */
const USER = 1000;
const CONFIG_FOLDER = '/etc/zookeeper';
const CONFIG_FILE = 'zoo.cfg';
const SECURITY_FILE = 'java.security';
/** Servers find each other by names, and a pod that is replaced has another address: Java would look at the old one for 30 s. */
const SECURITY = ['networkaddress.cache.ttl=1', 'networkaddress.cache.negative.ttl=1'];
const DATA = 'kimserver-data';
/** A server that ends hands its sessions to nobody; clients connect to the others. */
const GRACE_SECONDS = 20;
const DEFAULT_HEAP = 256;
const MIN_HEAP = 32;
const HEAP_SHARE = 0.5;
/** Names of volumes that containers write to, and where. */
const WRITABLE = { 'kimserver-log': '/datalog', 'kimserver-logs': '/logs', 'kimserver-tmp': '/tmp' } as const;

export interface ZookeeperObjects {
  readonly objects: readonly Manifest[];
  readonly notes: readonly string[];
}

export function zookeeperOf(cluster: KimCluster, { operator }: Observed, found: Manifest | undefined): ZookeeperObjects {
  const managed = managedOf(cluster);
  if (managed === undefined) return { objects: [], notes: [] };
  const image = imageFor(managed.image, found, ZOOKEEPER_CONTAINER, operator.zookeeperImage);
  return once(cluster, operator, `ZooKeeper with ${image}`, () => objectsOf(cluster, managed, operator, image));
}

function objectsOf(cluster: KimCluster, managed: ManagedZookeeper, operator: OperatorFacts, image: string): ZookeeperObjects {
  const { template, notes } = podsOf(cluster, managed, image);
  return {
    objects: [
      ...accessOf(cluster, 'zookeeper'),
      configMap(cluster, managed),
      service(cluster),
      ...(cluster.spec.networkPolicy.enabled ? [zookeeperPolicy(cluster, operator)] : []),
      budget(cluster, 'zookeeper', 1),
      statefulSet(cluster, managed, template),
    ],
    notes,
  };
}

/** Names, not addresses: the servers find each other again whatever addresses their new pods have. */
function configMap(cluster: KimCluster, managed: ManagedZookeeper): Manifest {
  const servers = serversOf(cluster, managed).map((host, i) => `server.${i + 1}=${host}:${PEER_PORTS.join(':')}`);
  const lines = [
    'dataDir=/data',
    'dataLogDir=/datalog',
    `clientPort=${ZOOKEEPER_PORT}`,
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    'maxClientCnxns=0',
    // what nodes say of themselves is a few kilobytes, and nobody reads what it was
    'autopurge.snapRetainCount=3',
    'autopurge.purgeInterval=1',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr,ruok',
    // a server may be started before the others have names
    'quorumListenOnAllIPs=true',
    ...(managed.replicas > 1 ? servers : []),
  ];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(cluster, 'zookeeper', nameOf(cluster, 'zookeeper')),
    data: { [CONFIG_FILE]: asFile(lines), [SECURITY_FILE]: asFile(SECURITY) },
  };
}

const asFile = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function service(cluster: KimCluster): Manifest {
  const port = (name: string, number: number) => ({ name, port: number, targetPort: number, protocol: 'TCP' });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(cluster, 'zookeeper', nameOf(cluster, 'zookeeper')),
    spec: {
      clusterIP: 'None',
      // servers become ready only after they have found each other
      publishNotReadyAddresses: true,
      selector: selectorOf(cluster, 'zookeeper'),
      ports: [port('client', ZOOKEEPER_PORT), port('peer', PEER_PORTS[0]), port('election', PEER_PORTS[1])],
    },
  };
}

function statefulSet(cluster: KimCluster, { replicas, storage }: ManagedZookeeper, template: object): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metaOf(cluster, 'zookeeper', nameOf(cluster, 'zookeeper')),
    spec: {
      replicas,
      serviceName: nameOf(cluster, 'zookeeper'),
      selector: { matchLabels: selectorOf(cluster, 'zookeeper') },
      // none is ready before there is a quorum, so none may wait for another
      podManagementPolicy: 'Parallel',
      // the operator removes one when all the others serve (zookeeper-update.ts)
      updateStrategy: { type: 'OnDelete' },
      minReadySeconds: 5,
      revisionHistoryLimit: 3,
      template,
      ...(storage && {
        persistentVolumeClaimRetentionPolicy: { whenDeleted: storage.retain ? 'Retain' : 'Delete', whenScaled: 'Retain' },
        volumeClaimTemplates: [claim(cluster, storage)],
      }),
    },
  };
}

function claim(cluster: KimCluster, { size, className }: NonNullable<ManagedZookeeper['storage']>): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: DATA, labels: selectorOf(cluster, 'zookeeper') },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(size) } },
      ...(className && { storageClassName: className }),
    },
  };
}

/** MiB of heap: what nodes say of themselves is little; Java needs about as much again beside it. */
function heapOf({ resources }: ManagedZookeeper): number {
  const limit = resources?.limits?.['memory'];
  return limit === undefined ? DEFAULT_HEAP : Math.max(MIN_HEAP, Math.floor((quantityValue(limit) / 2 ** 20) * HEAP_SHARE));
}

function podsOf(cluster: KimCluster, managed: ManagedZookeeper, image: string): Merged {
  const { imagePullPolicy, imagePullSecrets } = cluster.spec;
  // no other program but this shell, and never for long: what a killed probe leaves behind would hold up all later ones
  const ask = (question: string, answer: string) =>
    `exec 3<>/dev/tcp/127.0.0.1/${ZOOKEEPER_PORT} && echo ${question} >&3 || exit 1; ` +
    `while read -r -t 2 line <&3 || [[ $line ]]; do [[ $line == ${answer}* ]] && exit 0; line=; done; exit 1`;
  const probe = (question: string, answer: string, times: object) => ({
    exec: { command: ['bash', '-c', ask(question, answer)] },
    ...times,
  });
  const container = {
    name: ZOOKEEPER_CONTAINER,
    image,
    ...(imagePullPolicy && { imagePullPolicy }),
    // the number of a server follows from the name of its pod
    command: [
      'bash',
      '-c',
      `echo $((\${HOSTNAME##*-} + 1)) >/data/myid && exec zkServer.sh start-foreground ${CONFIG_FOLDER}/${CONFIG_FILE}`,
    ],
    env: [
      { name: 'ZOO_LOG_DIR', value: '/logs' },
      { name: 'ZK_SERVER_HEAP', value: String(heapOf(managed)) },
      { name: 'SERVER_JVMFLAGS', value: `-Djava.security.properties=${CONFIG_FOLDER}/${SECURITY_FILE}` },
    ],
    ports: [
      { name: 'client', containerPort: ZOOKEEPER_PORT, protocol: 'TCP' },
      { name: 'peer', containerPort: PEER_PORTS[0], protocol: 'TCP' },
      { name: 'election', containerPort: PEER_PORTS[1], protocol: 'TCP' },
    ],
    ...(managed.resources && { resources: amountsAsTexts(managed.resources) }),
    startupProbe: probe('ruok', 'imok', { periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 120 }),
    // only a server that is part of a quorum says its mode
    readinessProbe: probe('srvr', 'Mode', { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 2 }),
    livenessProbe: probe('ruok', 'imok', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    securityContext: containerSecurity,
    volumeMounts: [
      { name: 'kimserver-config', mountPath: CONFIG_FOLDER, readOnly: true },
      { name: DATA, mountPath: '/data' },
      ...Object.entries(WRITABLE).map(([name, mountPath]) => ({ name, mountPath })),
    ],
  };
  const emptyDirs = [...(managed.storage === undefined ? [DATA] : []), ...Object.keys(WRITABLE)];
  const own = {
    metadata: { labels: labelsOf(cluster, 'zookeeper'), annotations: {} },
    spec: {
      serviceAccountName: nameOf(cluster, 'zookeeper'),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      securityContext: podSecurity(USER),
      ...placement(cluster, 'zookeeper'),
      ...(imagePullSecrets && { imagePullSecrets }),
      containers: [container],
      volumes: [
        { name: 'kimserver-config', configMap: { name: nameOf(cluster, 'zookeeper') } },
        ...emptyDirs.map((name) => ({ name, emptyDir: {} })),
      ],
    },
  };
  return merged(own, managed.template);
}
