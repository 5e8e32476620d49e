// A controller that has nothing to do with gates: a Garden has beds, which are ConfigMaps, and a Deployment that waters them.

import type { KubeAccess } from '../../src/kube/access.ts';
import type { Kind, KubeObject } from '../../src/kube/types.ts';
import type { Applied } from '../../src/operator/engine/apply.ts';
import { withTimes, type Condition } from '../../src/operator/engine/conditions.ts';
import { Controller, type ControllerOptions, type Request, type Tools } from '../../src/operator/engine/controller.ts';
import { silentLogger } from '../../src/ops/log.ts';

export const gardens: Kind = { apiVersion: 'test.kimserver.io/v1', kind: 'Garden', plural: 'gardens' };
export const configMaps: Kind = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };
export const deployments: Kind = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' };

export type Garden = KubeObject & {
  readonly spec: { readonly beds: number; readonly plant?: string };
  readonly status?: { readonly beds?: number; readonly conditions?: readonly Condition[] };
};
export type Bed = KubeObject & { readonly data: Record<string, string> };

const LABEL = 'test.kimserver.io/garden';

/** What there is to be told of by tests. */
export interface Toy {
  readonly controller: Controller<Garden>;
  readonly reconciled: string[];
  readonly results: Applied<KubeObject>[];
  readonly errors: Error[];
}

export function toyController(access: KubeAccess, options: Partial<ControllerOptions<Garden>> = {}): Toy {
  const reconciled: string[] = [];
  const results: Applied<KubeObject>[] = [];
  const errors: Error[] = [];
  const controller = new Controller<Garden>({
    name: 'toy',
    access,
    primary: gardens,
    watched: [configMaps, deployments].map((kind) => ({ kind, labelSelector: LABEL })),
    identity: 'toy-1',
    log: silentLogger(),
    reconcile: async (request, tools) => {
      reconciled.push(request.key);
      try {
        await tend(request, tools, results);
      } catch (error) {
        errors.push(error as Error);
        throw error;
      }
    },
    ...options,
  });
  return { controller, reconciled, results, errors };
}

async function tend(
  { key, object, signal }: Request<Garden>,
  { applier, events, store }: Tools,
  results: Applied<KubeObject>[],
): Promise<void> {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
  const { metadata, spec } = object;
  const wanted = [...Array.from({ length: spec.beds }, (_, index) => bed(object, index)), waterer(object)];
  for (const one of wanted) {
    const result = await applier.apply(one, { key, signal });
    results.push(result);
    if (result.what === 'corrected')
      events.emit(object, {
        type: 'Normal',
        reason: 'DriftCorrected',
        action: 'Apply',
        note: `${one.kind} ${one.metadata.name} was put right`,
      });
  }
  const names = new Set(wanted.map(({ metadata: { name } }) => name));
  for (const old of store.of<Bed>(configMaps, key)) if (!names.has(old.metadata.name)) await applier.remove(old, { key, signal });
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Planted',
    message: `${spec.beds} beds`,
    observedGeneration: metadata.generation ?? 0,
  } as const;
  await applier.applyStatus(
    object,
    { beds: spec.beds, conditions: withTimes([ready], object.status?.conditions, new Date()) },
    { key, signal },
  );
}

function meta({ apiVersion, kind, metadata: { name, namespace, uid } }: Garden, suffix: string) {
  const owner = { apiVersion, kind, name, uid: uid ?? '', controller: true, blockOwnerDeletion: true };
  return { name: `${name}-${suffix}`, namespace, labels: { [LABEL]: name }, ownerReferences: [owner] };
}

function bed(garden: Garden, index: number) {
  const { plant = 'fern' } = garden.spec;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta(garden, `bed-${index}`),
    data: { plant, [`only-${plant}`]: 'yes' },
  } as KubeObject;
}

/** With values that the server writes in its own way, and fields that it adds. */
function waterer(garden: Garden) {
  const labels = { app: garden.metadata.name };
  const container = {
    name: 'water',
    image: 'localhost/water:1',
    ports: [{ containerPort: 80 }],
    resources: { requests: { cpu: '0.1', memory: '1024Mi' } },
  };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(garden, 'water'),
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  } as KubeObject;
}

/** The kind as the API server is told of it. */
export const gardenKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gardens.test.kimserver.io' },
  spec: {
    group: 'test.kimserver.io',
    scope: 'Namespaced',
    names: { kind: 'Garden', plural: 'gardens', singular: 'garden' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { beds: { type: 'integer' }, plant: { type: 'string' } } },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};
