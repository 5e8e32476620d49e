// The README of the chart: what people do with it, and the tables of its values and alerts.

import { alertsTable } from './alerts.ts';
import { valuesTable } from './render.ts';
import { rightsTables } from './rights.ts';
import type { Value } from './shapes.ts';

const TEXT = `# The chart of kimserver

Installs the operator and the definition of KimCluster. Helm 3 and 4, Kubernetes 1.30 or newer.

\`\`\`
helm install kimserver charts/kimserver --namespace kimserver --create-namespace --wait
kubectl apply -f manifests/quickstart.yaml && kubectl wait kimcluster/demo --for=condition=Ready --timeout=2m
kubectl exec deploy/demo-gate -- kim call demo-gate:3355 1001 "1 - hello"
\`\`\`

The image is \`kimserver\` with the version of the chart as its tag. Where it is in a registry of your own:
\`--set image.repository=NAME\`, and by digest \`--set image.digest=sha256:...\`. Gates and logic nodes take the same image unless
their KimCluster or \`nodeImage\` names another.

## Upgrade, rollback, uninstall

\`\`\`
helm upgrade kimserver charts/kimserver --namespace kimserver --wait
helm rollback kimserver --namespace kimserver --wait
helm uninstall kimserver --namespace kimserver
\`\`\`

The definition of KimCluster is upgraded with the release, and stays when the release goes (\`crds.keep\`): clusters run on without an
operator, and a release that is installed again under the same name takes them over. Under another name, or where the definition was applied by hand,
add \`--take-ownership\`, and name the key of the earlier release (\`signingKeySecret\`), which stays too. To remove everything: delete the KimClusters first, then the release, then
\`kubectl delete crd kimclusters.kimserver.io\`.

A rollback to an earlier chart brings the earlier definition too; with \`crds.install=false\` the definition is yours:
\`kubectl apply --server-side -f crds/\`. The operator refuses to run on one that is older than itself and says so.

What changed for those who upgrade stands in \`CHANGELOG.md\`. 0.1.0 is the first version: there is nothing to be done from an earlier one.

## For some namespaces only

\`\`\`
helm install kimserver charts/kimserver --namespace team-a --set 'namespaces={team-a,team-b}'
\`\`\`

The operator then has a Role in each of them instead of a ClusterRole. What is left for the whole cluster is the definition (\`crds.install\`), the
right to read it (\`rbac.crdReader\`) and the rights of people (\`rbac.aggregate\`); all three can be left out. Only one release of a cluster
installs the definition.

## Without Helm

\`\`\`
kubectl apply --server-side -f crds/
kubectl apply -f manifests/operator.yaml
\`\`\`

## What the operator may do`;

/** The page, without its first line. */
export function renderReadme(values: Readonly<Record<string, Value>>): string {
  return [
    TEXT,
    rightsTables(),
    '`rbac.extraRules` adds to the first of them.',
    '## Alerts',
    'With `monitoring.alerts.enabled`; `monitoring.alerts.disabled` leaves out the ones it names.',
    alertsTable(),
    '## Dashboard',
    'With `monitoring.dashboard.enabled`, for Grafana. Here are its panels with half a minute of a small cluster, recorded by a Prometheus: a gate leaves, and a KimCluster needs a person.',
    '![The dashboard of the chart, panel by panel](../../docs/images/dashboard.svg)',
    '## Values',
    valuesTable(values),
  ].join('\n\n');
}
