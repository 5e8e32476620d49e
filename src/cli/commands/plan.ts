// kim plan, kubectl kim plan: what a KimCluster would become in Kubernetes, or what would change there and how many connections that touches.
// Nothing is done.

import { clusterOf } from '../../config/cluster.ts';
import type { KimCluster } from '../../config/cluster-schema.ts';
import { stringify } from '../../config/yaml.ts';
import { differences } from '../../operator/plan/difference.ts';
import { plan } from '../../operator/plan/plan.ts';
import type { Manifest, Observed } from '../../operator/plan/types.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { readConfigurationFile } from '../config-file.ts';
import { theCluster } from '../kube/objects.ts';
import { withKube, type KubeOptions, type KubeSession } from '../kube/session.ts';
import { lookAt, nothing } from '../plan-source.ts';
import { Failure, UsageError } from '../problem.ts';

interface PlanOptions extends KubeOptions {
  file: string | undefined;
  against: 'nothing' | 'cluster';
  output: 'text' | 'json' | 'yaml';
}

/** Of a file, or of a KimCluster as it is in the cluster: the one of that name, or the only one of the namespace. */
export function runKubePlan([name]: readonly string[], options: PlanOptions): Promise<number> {
  if (name !== undefined && options.file !== undefined) throw new UsageError(`give either -f ${options.file} or the name "${name}"`);
  if (options.file !== undefined) return runPlan([], options);
  if (options.against === 'nothing') throw new UsageError('--against nothing goes with a file; name it with -f');
  return withKube(options, async (session) => {
    const object = await theCluster(session.client, session.namespace, name);
    return against(clusterOf(object, object.metadata.name).cluster, session.namespace, session, options);
  });
}

export async function runPlan(_args: readonly string[], options: PlanOptions): Promise<number> {
  if (options.file === undefined) throw new UsageError('name a KimCluster: kim plan -f manifests/quickstart.yaml');
  const { cluster, file, warnings } = readConfigurationFile(options.file, { place: 'kubernetes' });
  if (cluster === undefined) throw new UsageError(`${file} is the configuration of one node; kim plan is for KimClusters`);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  if (options.against === 'cluster') {
    return withKube(options, (session) => {
      const where = options.namespace ?? cluster.metadata.namespace ?? session.namespace;
      return against(cluster, where, session, options);
    });
  }
  const namespace = options.namespace ?? cluster.metadata.namespace;
  const named = withoutWishes({ ...cluster, metadata: { ...cluster.metadata, ...(namespace !== undefined && { namespace }) } });
  const observed = nothing(Date.now());
  const { apply, lines } = whatWouldBe(named, observed);
  const objects = apply.map((object) => masked(withoutOwner(object), cluster));
  if (options.output === 'yaml') process.stdout.write(objects.map((object) => `---\n${yaml(object)}`).join(''));
  else if (options.output === 'json') process.stdout.write(json({ apiVersion: 'v1', kind: 'List', items: objects }));
  else process.stdout.write([...lines, `${lines.length} objects would be made; -o yaml shows them`, ''].join('\n'));
  return exitCodes.ok;
}

async function against(wanted: KimCluster, where: string, { client }: KubeSession, { output }: PlanOptions): Promise<number> {
  const { cluster, observed, unasked, refused } = await lookAt(withoutWishes(wanted), where, client, Date.now());
  if (refused.length > 0) throw new Failure(refused.join('; '), { exitCode: exitCodes.failed });
  const { lines, connections, conflicts } = whatWouldBe(cluster, observed);
  for (const conflict of conflicts) process.stderr.write(`warning: ${conflict}\n`);
  if (unasked.length > 0) {
    process.stderr.write(`warning: ${unasked.join(', ')} could not be asked for their connections; their shares are guessed\n`);
  }
  const found = { changes: lines.map((line) => mask(line, wanted)), connections };
  if (output === 'text') process.stdout.write(text(found, where));
  else process.stdout.write(output === 'json' ? json(found) : yaml(found));
  return exitCodes.ok;
}

function text({ changes, connections }: { changes: readonly string[]; connections: number }, namespace: string): string {
  if (changes.length === 0) return `nothing would change in namespace ${namespace}\n`;
  const sum = `${changes.length} ${changes.length === 1 ? 'change' : 'changes'} in namespace ${namespace}`;
  const touched = `${connections === 0 ? 'no connection' : connections === 1 ? '1 connection' : `${connections} connections`} would move`;
  return [...changes, `${sum}; ${touched}`, ''].join('\n');
}

/** What is asked for is what the file says, whatever the operator is kept from doing now. */
function withoutWishes(cluster: KimCluster): KimCluster {
  const { deletionTimestamp: _deleted, annotations = {}, ...metadata } = cluster.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !['kimserver.io/pause', 'kimserver.io/dry-run'].includes(key));
  return { ...cluster, metadata: { ...metadata, annotations: Object.fromEntries(kept) } };
}

function whatWouldBe(cluster: KimCluster, observed: Observed) {
  const { apply, remove, status } = plan(cluster, observed);
  const degraded = status.conditions?.find(({ type }) => type === 'Degraded');
  const conflicts = degraded?.reason === 'ResourceConflict' ? [degraded.message] : [];
  return { apply, conflicts, ...differences(cluster, observed, { apply, remove }) };
}

/** Before there is a KimCluster nothing can obey it. */
function withoutOwner({ metadata, ...object }: Manifest): object {
  const { ownerReferences: _owners, ...kept } = metadata;
  const { apiVersion, kind, ...rest } = object;
  return { apiVersion, kind, metadata: kept, ...rest };
}

/** The same value with "***" in place of the password for ZooKeeper. */
function masked(value: unknown, cluster: KimCluster): unknown {
  if (typeof value === 'string') return mask(value, cluster);
  if (Array.isArray(value)) return value.map((one) => masked(one, cluster));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, cluster)]));
}

function mask(line: string, { spec }: KimCluster): string {
  const secret = spec.discovery?.zookeeper?.auth;
  if (secret === undefined || secret === '') return line;
  // in a ConfigMap it stands in JSON
  return line.replaceAll(secret, '***').replaceAll(JSON.stringify(secret).slice(1, -1), '***');
}

function yaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
