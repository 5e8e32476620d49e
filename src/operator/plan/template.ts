// The user's pod template over ours: everything of it is followed that does not break the drain, the security or the configuration of a pod.

import type { KimCluster } from '../../config/cluster-schema.ts';
import { refusedVolume, weaknessOf, withSecurity } from './security.ts';

type Texts = Readonly<Record<string, string>>;
/** With a name, and whatever else. */
export type Named = Readonly<Record<string, unknown>> & { readonly name: string };

/** A pod template, as far as it is put together here. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Texts; readonly annotations: Texts };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly containers: readonly Named[];
    readonly initContainers?: readonly Named[];
    readonly volumes: readonly Named[];
  };
}

export interface Merged {
  readonly template: PodTemplate;
  /** What could not be followed, and what is followed but weakens the pods: sentences. */
  readonly notes: readonly string[];
}

type UserTemplate = NonNullable<KimCluster['spec']['gate']['template']>;

/** Affinity, spread and tolerations are in `own` already. The first container of `own` is the one that variables and mounts are for. */
export function merged(own: PodTemplate, user: UserTemplate | undefined): Merged {
  if (user === undefined) return { template: own, notes: [] };
  const [main, ...others] = own.spec.containers as readonly [Main, ...Named[]];
  const env = withoutTaken('env', main.env ?? [], user.env ?? [], 'name');
  const mounts = withoutTaken('volumeMounts', main.volumeMounts ?? [], user.volumeMounts ?? [], 'mountPath');
  const container = {
    ...main,
    ...(env.all.length > 0 && { env: env.all }),
    // what comes last wins: the options of the node
    ...(user.envFrom && { envFrom: [...user.envFrom, ...(main.envFrom ?? [])] }),
    volumeMounts: mounts.all,
  };
  const sidecars = (user.containers ?? []).map((one) => withSecurity(one)) as readonly Named[];
  const inits = (user.initContainers ?? []).map((one) => withSecurity(one)) as readonly Named[];
  const initContainers = [...(own.spec.initContainers ?? []), ...inits];
  const { nodeSelector, priorityClassName, schedulerName, runtimeClassName } = user;
  return {
    template: {
      metadata: {
        labels: { ...user.metadata?.labels, ...own.metadata.labels },
        annotations: { ...user.metadata?.annotations, ...own.metadata.annotations },
      },
      spec: {
        ...own.spec,
        ...(nodeSelector && { nodeSelector }),
        ...(priorityClassName && { priorityClassName }),
        ...(schedulerName && { schedulerName }),
        ...(runtimeClassName && { runtimeClassName }),
        ...(initContainers.length > 0 && { initContainers }),
        containers: [container, ...others, ...sidecars],
        volumes: [...own.spec.volumes, ...((user.volumes ?? []) as readonly Named[])],
      },
    },
    notes: [
      ...env.notes,
      ...mounts.notes,
      ...[...(user.containers ?? []), ...(user.initContainers ?? [])].flatMap(weakNote),
      ...((user.volumes ?? []) as readonly Named[]).flatMap(volumeNote),
    ],
  };
}

interface Main extends Named {
  readonly env?: readonly Named[];
  readonly envFrom?: readonly object[];
  readonly volumeMounts?: readonly (Readonly<Record<string, unknown>> & { readonly mountPath: string })[];
}

/** Ours and what the user adds; of two with one key ours counts. */
function withoutTaken<K extends string>(
  field: string,
  ours: readonly Readonly<Record<K, unknown>>[],
  users: readonly Readonly<Record<K, unknown>>[],
  key: K,
): { all: object[]; notes: string[] } {
  const isTaken = (one: Readonly<Record<K, unknown>>) => ours.some((mine) => mine[key] === one[key]);
  return {
    all: [...ours, ...users.filter((one) => !isTaken(one))],
    notes: users.filter(isTaken).map((one) => `template.${field} has ${String(one[key])}, which the node needs itself; it is ignored`),
  };
}

function weakNote(container: Named): string[] {
  const weakness = weaknessOf(container);
  return weakness === undefined
    ? []
    : [`the container ${container.name} asks for ${weakness}; namespaces that enforce restricted pod security refuse its pods`];
}

function volumeNote(volume: Named): string[] {
  const kind = refusedVolume(volume);
  return kind === undefined
    ? []
    : [`the volume ${volume.name} is of kind ${kind}; namespaces that enforce restricted pod security refuse its pods`];
}
