// Does what a plan says beside applying objects. Everything may be done again without harm: what was done already is refused or changes nothing.

import { isConflict, isNotFound } from '../../kube/error.ts';
import { pathOf, type Kind, type KubeObject } from '../../kube/types.ts';
import type { Tools } from '../engine/controller-options.ts';
import { FINALIZER } from '../plan/names.ts';
import type { Action } from '../plan/types.ts';
import { kimClusters, pods } from './kinds.ts';
import { NodeRefusal, type NodeAddress, type NodeClient } from './node-client.ts';

export interface ExecutorOptions {
  /** The key that is being reconciled. */
  readonly key: string;
  readonly tools: Pick<Tools, 'client' | 'assertLeader'> & { readonly guard: Pick<Tools['guard'], 'wrote'> };
  readonly nodes: Pick<NodeClient, 'tell'>;
  readonly cluster: KubeObject;
  /** Where the node of a pod is asked; undefined while it has no address. */
  address(pod: string): NodeAddress | undefined;
  readonly signal: AbortSignal;
}

const MERGE = 'application/merge-patch+json';

/** Throws what went wrong, after all actions have been tried: one pod that does not answer holds up no other. */
export async function execute(actions: readonly Action[], options: ExecutorOptions): Promise<void> {
  const results = await Promise.allSettled(actions.map((action) => run(action, options)));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (failed.length === 1) throw failed[0]!;
  if (failed.length > 1) throw new AggregateError(failed, failed.map(({ message }) => message).join('; '));
}

async function run(action: Action, options: ExecutorOptions): Promise<void> {
  const { cluster } = options;
  const { namespace } = cluster.metadata;
  switch (action.kind) {
    case 'drain':
      // the process stays: Kubernetes would start one that ends again
      return tell(action.pod, '/drain', { seconds: action.seconds, perSecond: action.perSecond, stay: true }, options);
    case 'setWorkers':
      return tell(action.pod, '/workers', { count: action.count, generation: action.generation }, options);
    case 'setSettings':
      return tell(action.pod, '/settings', { config: action.config, generation: action.generation }, options);
    case 'annotate': {
      const body = { metadata: { annotations: action.annotations } };
      return patch(pods, { namespace, name: action.pod }, body, options);
    }
    case 'deletePod': {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: action.uid } };
      const { tools, signal } = options;
      return forgive(tools.client.request('DELETE', pathOf(pods, { namespace, name: action.pod }), { body, signal }));
    }
    case 'addFinalizer':
    case 'removeFinalizer': {
      const others = (cluster.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
      const finalizers = action.kind === 'addFinalizer' ? [...others, FINALIZER] : others;
      // of this very state of the object: somebody else may have changed the list
      const body = { metadata: { finalizers, resourceVersion: cluster.metadata.resourceVersion } };
      return patch(kimClusters, cluster.metadata, body, options);
    }
  }
}

/** What is written is not decided about again before it has been read back. */
async function patch(
  kind: Kind,
  place: { namespace?: string | undefined; name: string },
  body: object,
  options: ExecutorOptions,
): Promise<void> {
  const { tools, key, signal } = options;
  const path = pathOf(kind, place);
  await forgive(
    tools.client
      .request<KubeObject>('PATCH', path, { body, contentType: MERGE, signal })
      .then((written) => tools.guard.wrote(key, kind, written)),
  );
}

async function tell(pod: string, path: string, body: object, { address, nodes, tools, signal }: ExecutorOptions): Promise<void> {
  const node = address(pod);
  if (node === undefined) return;
  // pods know nothing of leases: who has lost it says nothing
  tools.assertLeader();
  try {
    await nodes.tell(node, path, body, signal);
  } catch (error) {
    // it knows something newer, or drains already
    if (error instanceof NodeRefusal && error.status === 409) return;
    throw error;
  }
}

/** What is gone, or has changed since it was seen, is looked at again soon anyway. */
async function forgive(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
