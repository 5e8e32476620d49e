// Every value of the chart: name, meaning, what it may be, default. values.yaml, values.schema.json and the README come from this table.

import {
  flag,
  group,
  integer,
  listOfTexts,
  nameOrEmpty,
  names,
  objectsOrTexts,
  passedList,
  passedObject,
  podsOrEmpty,
  secrets,
  text,
  texts,
  word,
  type Group,
  type Value,
} from './shapes.ts';

const DIGEST = { pattern: '^$|^sha256:[0-9a-f]{64}$' };
const SECONDS = { pattern: '^$|^([0-9]+(ms|s|m|h))+$' };

const image = (doc: string, { repository = '', tag = '' } = {}): Group =>
  group(doc, {
    repository: text(repository, repository === '' ? 'Name of the image. Empty: the same as `image`.' : 'Name of the image.'),
    tag: text(tag, tag === '' ? 'Tag of the image. Empty: the version of the chart (appVersion).' : 'Tag of the image.'),
    digest: text('', 'Digest of the image, as sha256:...; the tag then counts for nothing.', DIGEST),
  });

const probe = (path: string, rest: object) => ({ httpGet: { path, port: 'health' }, ...rest });

const operator: Readonly<Record<string, Value>> = {
  nameOverride: nameOrEmpty('Instead of the name of the chart in names and labels.'),
  fullnameOverride: nameOrEmpty('Instead of the name of the release and the chart, at the front of all names.'),
  commonLabels: texts('Labels on everything that the chart makes; never in selectors.'),
  commonAnnotations: texts('Annotations on everything that the chart makes.'),
  namespaces: names(
    'Namespaces whose KimClusters are looked after. Empty: all. With a list the operator has rights in these namespaces only, and they have to be there.',
  ),
  replicas: integer(0, 3, 1, 'Operators. One of them works, the others take over within seconds when it is gone; 2 is enough.'),
  image: group('The image of the operator, which is that of gates and logic nodes too.', {
    ...image('', { repository: 'kimserver' }).values,
    pullPolicy: word(['Always', 'IfNotPresent', 'Never'], 'IfNotPresent', 'When the image is pulled.'),
  }),
  imagePullSecrets: secrets('Secrets with which images are pulled, as { name: NAME }; besides global.imagePullSecrets.'),
  nodeImage: image('The image of gates and logic nodes whose KimCluster names none.'),
  zookeeperImage: image('The image of ZooKeepers that the operator runs, where the KimCluster names none.', {
    repository: 'zookeeper',
    tag: '3.9',
  }),
  logLevel: word(['trace', 'debug', 'info', 'warn', 'error'], 'info', 'What the operator logs.'),
  leaderElection: group('How operators agree on the one that works.', {
    leaseName: nameOrEmpty('Name of the Lease, in the namespace of the release. Empty: made from the name of the release.'),
  }),
  signingKeySecret: nameOrEmpty(
    'Name of a Secret in the namespace of the release that is there already, for the key that signs what nodes are told. Empty: the chart makes one. Take over that of an earlier release of another name, or all nodes are replaced to learn the new key.',
  ),
  imageVolumes: flag(false, 'Whether modules come as image volumes instead of being copied; Kubernetes 1.33 or later with that feature.'),
  crds: group('The definition of KimCluster.', {
    install: flag(true, 'Whether the chart installs and upgrades it. One release of a cluster does.'),
    keep: flag(true, 'Whether it stays when the release is removed. Without it all KimClusters, and what they run, go with the release.'),
  }),
};

const access: Readonly<Record<string, Value>> = {
  rbac: group('What the operator may do.', {
    create: flag(true, 'Whether Roles and bindings are made. If not, give the service account the rules of the README.'),
    aggregate: flag(true, 'Whether the roles view, edit and admin of the cluster get the matching rights on KimClusters.'),
    viewersAskPods: flag(
      false,
      'Whether the role view also lets people ask pods through the API server (get pods/proxy, which counts for all pods of a namespace), so that "kubectl kim" shows them what each pod does now. Without it they see what the operator writes into the KimCluster; the role edit has it anyway.',
    ),
    crdReader: flag(
      true,
      'Whether the operator may read its own definition, to refuse one that is too old. It is one of the two rights of an install for some namespaces that count in the whole cluster (the other is rbac.aggregate).',
    ),
    extraRules: passedList('More rules for the operator, such as those that it is to hand on to pods.'),
  }),
  serviceAccount: group('The service account of the operator.', {
    create: flag(true, 'Whether it is made.'),
    name: nameOrEmpty('Its name. Empty: made from the name of the release, or "default" where it is not made.'),
    annotations: texts('Annotations of it.'),
  }),
};

const pods: Readonly<Record<string, Value>> = {
  resources: passedObject('Processors and memory of the operator.', {
    requests: { cpu: '50m', memory: '128Mi' },
    limits: { memory: '256Mi' },
  }),
  podSecurityContext: passedObject('Security of the pod. What stands here is allowed by the pod security standard "restricted".', {
    runAsNonRoot: true,
    runAsUser: 10001,
    runAsGroup: 10001,
    fsGroup: 10001,
    seccompProfile: { type: 'RuntimeDefault' },
  }),
  securityContext: passedObject('Security of the container.', {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  }),
  ports: group('Ports of the operator.', {
    metrics: integer(1024, 65535, 8080, 'Where Prometheus asks.'),
    health: integer(1024, 65535, 8081, 'Where probes ask.'),
  }),
  startupProbe: passedObject('When the operator counts as started.', probe('/livez', { periodSeconds: 2, failureThreshold: 30 })),
  livenessProbe: passedObject('When the operator is started again.', probe('/livez', { periodSeconds: 10, failureThreshold: 3 })),
  readinessProbe: passedObject('When the operator counts as ready.', probe('/readyz', { periodSeconds: 5, failureThreshold: 3 })),
  updateStrategy: passedObject('How the Deployment replaces its pods.', {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
  }),
  revisionHistoryLimit: integer(0, 100, 3, 'Earlier revisions of the Deployment that are kept.'),
  terminationGracePeriodSeconds: integer(1, 600, 30, 'Time to finish what is being done and to give the Lease back.'),
  priorityClassName: nameOrEmpty('How important the operator is to others. KimClusters run on without it, but nothing changes.'),
  nodeSelector: texts('Labels that a machine must have.', { 'kubernetes.io/os': 'linux' }),
  tolerations: passedList('Taints that are put up with.'),
  affinity: passedObject('Affinity of the pods.'),
  topologySpreadConstraints: passedList('How pods are spread; a labelSelector is filled in where none is given.'),
  podLabels: texts('More labels of the pods.'),
  podAnnotations: texts('More annotations of the pods.'),
  deploymentAnnotations: texts('More annotations of the Deployment.'),
  extraArgs: listOfTexts('More arguments of "kim operator".'),
  extraEnv: passedList('More variables of the environment.'),
  extraVolumes: passedList('More volumes.'),
  extraVolumeMounts: passedList('Where they are mounted.'),
  podDisruptionBudget: group('How many operators may be away at the same time. There is one only where replicas is above 1.', {
    enabled: flag(true, 'Whether there is one.'),
    minAvailable: podsOrEmpty('Operators that have to stay. Empty: maxUnavailable counts.'),
    maxUnavailable: podsOrEmpty('Operators that may be away. Empty: 1. Not together with minAvailable.'),
  }),
  networkPolicy: group('Who may reach the operator, and whom it may reach.', {
    enabled: flag(false, 'Whether there is one. Off, since the address of the API server can not be known here.'),
    metricsFrom: passedList('Peers that may ask for metrics, as in a NetworkPolicy. Empty: everybody.'),
    egress: passedList(
      'Rules for what it may reach: the API server, DNS, and the admin ports of gates and logic nodes. Empty: everything.',
    ),
  }),
};

const monitoring: Readonly<Record<string, Value>> = {
  monitoring: group('How the operator and its clusters are watched. docs/metrics.md describes the metrics.', {
    annotations: flag(true, 'Whether pods carry the annotations prometheus.io/scrape, port and path; not beside a ServiceMonitor.'),
    serviceMonitor: group('A ServiceMonitor of the Prometheus operator.', {
      enabled: flag(false, 'Whether there is one.'),
      namespace: nameOrEmpty('Its namespace. Empty: that of the release.'),
      labels: texts('Labels by which a Prometheus picks its ServiceMonitors.'),
      interval: text('', 'How often it is asked, as 30s. Empty: as Prometheus is set up.', SECONDS),
      scrapeTimeout: text('', 'How long an answer may take. Empty: as Prometheus is set up.', SECONDS),
      honorLabels: flag(
        true,
        'Whether labels of the metrics win over those of Prometheus: the namespace of a KimCluster over that of the operator.',
      ),
      relabelings: passedList('Relabelings before metrics are taken.'),
      metricRelabelings: passedList('Relabelings before metrics are kept.'),
    }),
    alerts: group('A PrometheusRule with alerts.', {
      enabled: flag(false, 'Whether there is one.'),
      namespace: nameOrEmpty('Its namespace. Empty: that of the release.'),
      labels: texts('Labels by which a Prometheus picks its rules.'),
      alertLabels: texts('Labels of each alert, besides severity.'),
      disabled: listOfTexts('Alerts that are left out, by name; the README lists them.'),
      extraRules: passedList('More rules of the same group.'),
    }),
    dashboard: group('A dashboard for Grafana, in a ConfigMap that its sidecar finds.', {
      enabled: flag(false, 'Whether there is one.'),
      namespace: nameOrEmpty('Its namespace. Empty: that of the release.'),
      labels: texts('Labels by which the sidecar finds it.', { grafana_dashboard: '1' }),
      annotations: texts('Annotations, such as the folder in Grafana.'),
    }),
  }),
};

export const chartValues: Readonly<Record<string, Value>> = {
  global: group('Shared with charts that this one is a part of.', {
    imageRegistry: text('', 'Put before the names of all images, as mirror.example:5000.'),
    imagePullSecrets: secrets('Secrets with which images are pulled, as { name: NAME }.'),
  }),
  ...operator,
  ...access,
  ...pods,
  ...monitoring,
  tests: group('What "helm test" does: it makes a KimCluster of one gate, speaks through it, and removes it.', {
    enabled: flag(true, 'Whether the chart has it.'),
    namespace: nameOrEmpty('Where. Empty: the first of namespaces, or the namespace of the release.'),
    timeoutSeconds: integer(10, 3600, 120, 'How long it may take.'),
  }),
  extraObjects: objectsOrTexts('More objects of the release; texts may hold templates, as "name: {{ .Release.Name }}-more".'),
};
