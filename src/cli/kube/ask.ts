// Asks the nodes in pods, through the API server: whoever may read pods/proxy needs no way to the pods themselves.

import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import { pathOf } from '../../kube/types.ts';
import { nodeStatusSchema } from '../../ops/admin-schema.ts';
import { pods as podKind } from '../../operator/run/kinds.ts';
import type { Look } from '../rates.ts';
import { isNode, type PodObject } from './objects.ts';
import { eachOf } from './session.ts';

/** A node answers in milliseconds, one that is busy later; the way through the API server is short. */
const ASK_MS = 5000;
/** A pod that does not answer holds a connection for as long as that. */
export const AT_ONCE = 12;

export interface PodLook {
  readonly pod: PodObject;
  /** What its node said; undefined where none runs, or none answers. */
  readonly look?: Look | undefined;
  /** Why its node was asked in vain. */
  readonly problem?: string | undefined;
}

type Client = Pick<KubeClient, 'get' | 'text'>;

/** Where the admin server of a node is, seen from the API server; `route` begins with "/". */
export function adminPath({ metadata: { namespace, name }, spec }: PodObject, route: string): string {
  const ports = (spec?.containers ?? []).flatMap(({ ports: own = [] }) => own);
  const port = ports.find((one) => one.name === 'admin')?.containerPort ?? 'admin';
  return `${pathOf(podKind, { namespace, name: `${name}:${port}`, part: 'proxy' })}${route}`;
}

/** Asks all nodes for their status, each for so long; never throws because of one. */
export function lookAtPods(client: Client, pods: readonly PodObject[]): Promise<PodLook[]> {
  return eachOf(pods, AT_ONCE, async (pod): Promise<PodLook> => {
    if (!isNode(pod) || pod.status?.podIP === undefined) return { pod };
    try {
      const said = await client.get<unknown>(adminPath(pod, '/status'), { timeoutMs: ASK_MS });
      const judged = nodeStatusSchema.safeParse(said);
      if (!judged.success) return { pod, problem: 'it answers, but not with a status that this version of kubectl kim knows' };
      return { pod, look: { at: Date.now(), status: judged.data } };
    } catch (error) {
      return { pod, problem: whyNot(error) };
    }
  });
}

/** Asks one node; throws a KubeError. */
export function askPod<T>(client: Client, pod: PodObject, route: string): Promise<T> {
  return client.get<T>(adminPath(pod, route), { timeoutMs: ASK_MS });
}

/** Why a node was asked in vain, for people. */
export function whyNot(error: unknown): string {
  if (!(error instanceof KubeError)) return (error as Error).message;
  const { status, reason } = error;
  if (status === 403) return 'you may not ask pods; that needs the right to get pods/proxy, which the role edit has';
  if (status === 404) return 'it is gone';
  if (reason === 'Timeout') return `no answer within ${ASK_MS / 1000} s`;
  if (status === 502 || status === 503) return 'the API server does not reach it; it starts or ends, or a network policy is between';
  return error.message;
}
