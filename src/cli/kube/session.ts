// A command's way to the API server: found as kubectl finds it, given back when the command is over, its errors in one sentence.

import { findKube } from '../../kube/config.ts';
import { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { version } from '../../version.ts';
import { Failure } from '../problem.ts';

/** The flags of kubectl that say which cluster. */
export interface KubeOptions {
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

export interface KubeSession {
  readonly client: KubeClient;
  /** The one that was asked for, else that of the kubeconfig. */
  readonly namespace: string;
  /** The API server, for people. */
  readonly server: string;
}

/** Throws a Failure for everything that the API server refuses. */
export async function withKube<T>({ namespace, kubeconfig, context }: KubeOptions, work: (session: KubeSession) => Promise<T>): Promise<T> {
  const access = await findKube({ kubeconfig, context }).catch((error: unknown) => {
    throw new Failure((error as Error).message, { exitCode: exitCodes.failed, cause: error });
  });
  const client = new KubeClient({ access, userAgent: `kubectl-kim/${version}` });
  try {
    return await work({ client, namespace: namespace ?? access.namespace, server: access.server.origin });
  } catch (error) {
    if (error instanceof KubeError) throw new Failure(sentenceOf(error), { exitCode: exitCodes.failed, cause: error });
    throw error;
  } finally {
    client.close();
  }
}

function sentenceOf({ status, message }: KubeError): string {
  if (status === 404 && /kimclusters/.test(message)) {
    const isKind = /could not find the requested resource/.test(message);
    if (isKind) return 'this cluster does not know KimClusters; "helm install kimserver charts/kimserver" brings them';
  }
  return message;
}

/** Does this for all of them, so many at a time; in their order. */
export async function eachOf<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()];
  const runOnes = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, item] = next;
      results[i] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runOnes));
  return results;
}
