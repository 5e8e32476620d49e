// kubectl kim status: KimClusters and their pods, as Kubernetes and the nodes themselves say.

import { setTimeout as pause } from 'node:timers/promises';
import { painter } from '../terminal.ts';
import { AT_ONCE, lookAtPods } from './ask.ts';
import { clustersIn, podsOf, type ClusterObject } from './objects.ts';
import { eachOf, withKube, type KubeOptions, type KubeSession } from './session.ts';
import { statusBlock, statusJson, type ClusterView } from './status-text.ts';

interface StatusOptions extends KubeOptions {
  allNamespaces: boolean;
  output: 'text' | 'json';
}

/** Rates are over that. */
const BETWEEN_MS = 1000;

export function runKubeStatus([name]: readonly string[], { allNamespaces, output, ...access }: StatusOptions): Promise<number> {
  return withKube(access, async (session) => {
    const clusters = await clustersIn(session.client, session.namespace, name, allNamespaces);
    const views = await look(session, clusters);
    const now = Date.now();
    const paint = painter(process.stdout.isTTY);
    const text =
      output === 'json'
        ? JSON.stringify({ clusters: views.map((view) => statusJson(view, now)) }, undefined, 2)
        : views.map((view) => statusBlock(view, now, paint).join('\n')).join('\n\n');
    process.stdout.write(`${text}\n`);
    return 0;
  });
}

async function look({ client }: KubeSession, clusters: readonly ClusterObject[]): Promise<ClusterView[]> {
  const pods = await eachOf(clusters, AT_ONCE, (cluster) => podsOf(client, cluster));
  const all = pods.flat();
  const before = await lookAtPods(client, all);
  // who did not answer is not asked again: it would only take as long once more
  const answered = before.filter((one) => one.look !== undefined).map(({ pod }) => pod);
  if (answered.length > 0) await pause(BETWEEN_MS);
  const again = await lookAtPods(client, answered);
  const newest = before.map((one) => again.find(({ pod, look: last }) => pod === one.pod && last !== undefined) ?? one);
  return clusters.map((cluster, i) => ({
    cluster,
    pods: newest.filter(({ pod }) => pods[i]!.includes(pod)),
    before: before.filter(({ pod }) => pods[i]!.includes(pod)),
  }));
}
