// kubectl kim drain: a pod is evicted, as "kubectl drain" does with all pods of a machine, so its budget is kept, another pod comes at once, and it
// drains by itself: the way that every pod ends.

import type { KubeClient } from '../../kube/client.ts';
import { isNotFound, KubeError } from '../../kube/error.ts';
import { pathOf } from '../../kube/types.ts';
import { marks } from '../../operator/plan/names.ts';
import { drainMark } from '../../operator/plan/pods.ts';
import { CLUSTER_LABEL, pods as podKind } from '../../operator/run/kinds.ts';
import { Failure } from '../problem.ts';
import { componentOf, isNode, type PodObject } from './objects.ts';
import { progressOn } from './progress.ts';
import { withKube, type KubeOptions, type KubeSession } from './session.ts';
import { drainedLine, watchDrain } from './drain-watch.ts';

interface DrainOptions extends KubeOptions {
  wait: boolean;
  output: 'text' | 'json';
}

const EVICT_MS = 20_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** As shells show a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export function runKubeDrain([name = '']: readonly string[], { wait, output, ...access }: DrainOptions): Promise<number> {
  return withKube(access, async (session) => {
    const pod = await ourPod(session, name);
    // what the operator has drain already would be replaced in vain if it were evicted, too
    const isNew = pod.metadata.deletionTimestamp === undefined && pod.metadata.annotations?.[marks.draining] === undefined;
    if (isNew) await evict(session, pod);
    if (!wait) {
      process.stdout.write(output === 'json' ? `${JSON.stringify({ pod: name, begun: true })}\n` : `${begunLine(name, isNew)}\n`);
      return 0;
    }
    const interrupt = new AbortController();
    const progress = progressOn(process.stderr);
    const result = await withSignals(interrupt, watchDrain(session, pod, { say: progress.show, signal: interrupt.signal }));
    progress.end();
    if (result === 'interrupted') {
      process.stderr.write(`${name} goes on draining; "kubectl kim drain ${name}" shows how far it is\n`);
      return INTERRUPTED;
    }
    process.stdout.write(output === 'json' ? `${JSON.stringify(result, undefined, 2)}\n` : `${drainedLine(result)}\n`);
    return result.forced === 0 ? 0 : 1;
  });
}

function begunLine(name: string, isNew: boolean): string {
  return isNew ? `${name} drains` : `${name} drains already`;
}

/** Throws a Failure for a pod that is not there, or that there is nothing to drain in. */
async function ourPod({ client, namespace }: KubeSession, name: string): Promise<PodObject> {
  let pod: PodObject;
  try {
    pod = await client.get<PodObject>(pathOf(podKind, { namespace, name }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new Failure(`there is no pod "${name}" in namespace ${namespace}; "kubectl kim status" lists those of KimClusters`, {
      cause: error,
    });
  }
  if (pod.metadata.labels?.[CLUSTER_LABEL] === undefined) {
    throw new Failure(`pod "${name}" is not of a KimCluster; "kubectl kim status" lists those that are`);
  }
  if (!isNode(pod)) {
    const what = componentOf(pod) === 'zookeeper' ? 'a ZooKeeper server' : 'neither a gate nor a logic node';
    throw new Failure(`pod "${name}" is ${what}, so it has no clients to move; "kubectl delete pod ${name}" replaces it`);
  }
  return pod;
}

/** Throws a Failure with the cure where it is refused. */
async function evict({ client, namespace }: KubeSession, { metadata: { name, uid } }: PodObject): Promise<void> {
  // this very pod: another one may have its name by now
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: { preconditions: { uid } },
  };
  try {
    await client.request('POST', pathOf(podKind, { namespace, name, part: 'eviction' }), { body, timeoutMs: EVICT_MS });
  } catch (error) {
    throw refusal(error, namespace, name);
  }
  await sayWhy(client, namespace, name);
}

function refusal(error: unknown, namespace: string, name: string): unknown {
  if (!(error instanceof KubeError)) return error;
  const { status, causes } = error;
  if (status === 429) {
    const [cause] = causes.flatMap(({ message }) => message ?? []);
    const why = cause === undefined ? 'too many of its kind are away' : lowered(cause);
    return new Failure(
      `pod "${name}" may not leave now: ${why}; wait until all are ready (kubectl kim status), or raise spec.TIER.disruptionBudget.maxUnavailable`,
      { cause: error },
    );
  }
  if (status === 403) {
    return new Failure(
      `you may not evict pods in namespace ${namespace}; that needs the right to create pods/eviction, which the role edit has`,
      {
        cause: error,
      },
    );
  }
  if (status === 404 || status === 409)
    return new Failure(`pod "${name}" is gone already, or another one has its name; look again`, { cause: error });
  return error;
}

const lowered = (sentence: string): string => sentence.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase()).replace(/\.$/, '');

/** For the status of the KimCluster: that somebody asked for it. Its drain does not depend on it, so it may fail. */
async function sayWhy(client: KubeClient, namespace: string, name: string): Promise<void> {
  const body = { metadata: { annotations: { [marks.draining]: drainMark(Date.now(), 'Requested') } } };
  const request = client.request('PATCH', pathOf(podKind, { namespace, name }), { body, contentType: 'application/merge-patch+json' });
  await request.catch(() => undefined);
}

/** Ctrl-C ends the looking on, not the drain. */
async function withSignals<T>(interrupt: AbortController, work: Promise<T>): Promise<T | 'interrupted'> {
  const told = Promise.withResolvers<'interrupted'>();
  const end = () => {
    told.resolve('interrupted');
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    return await Promise.race([told.promise, work]);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
