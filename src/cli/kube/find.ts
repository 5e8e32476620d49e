// kubectl kim find: where a user is connected. Any gate knows it of all; the one that has the client knows the rest.

import type { SessionView } from '../../ops/admin-schema.ts';
import { KubeError } from '../../kube/error.ts';
import { Failure } from '../problem.ts';
import { age, printable } from '../terminal.ts';
import { askPod, AT_ONCE, whyNot } from './ask.ts';
import { clustersIn, componentOf, podsOf, type ClusterObject, type PodObject } from './objects.ts';
import { eachOf, withKube, type KubeOptions, type KubeSession } from './session.ts';

interface FindOptions extends KubeOptions {
  output: 'text' | 'json';
}

interface Found {
  readonly user: string;
  readonly cluster: string;
  /** Undefined for a gate that is no pod of this KimCluster: its address stands in `node`. */
  readonly pod: string | undefined;
  readonly machine: string | undefined;
  readonly worker: number;
  readonly node: string;
  readonly session?: string | undefined;
  readonly remote?: string | undefined;
  readonly since?: string | undefined;
}

interface Answers {
  readonly found: readonly Found[];
  /** Gates that did not answer, each with why. */
  readonly silent: readonly string[];
}

/** Ends with 1 where the user is nowhere. */
export function runKubeFind([user = '', name]: readonly string[], { output, ...access }: FindOptions): Promise<number> {
  return withKube(access, async (session) => {
    const clusters = await clustersIn(session.client, session.namespace, name);
    const all = await eachOf(clusters, AT_ONCE, (cluster) => findIn(session, cluster, user));
    const answers = { found: all.flatMap(({ found }) => found), silent: all.flatMap(({ silent }) => silent) };
    if (output === 'json') process.stdout.write(`${JSON.stringify(answers, undefined, 2)}\n`);
    else process.stdout.write(answers.found.map((one) => `${foundLine(one, Date.now())}\n`).join(''));
    const warning = answers.silent.map((line) => `warning: ${line}\n`).join('');
    if (answers.found.length > 0 || output === 'json') {
      process.stderr.write(warning);
      return answers.found.length > 0 ? 0 : 1;
    }
    process.stderr.write(warning);
    const where = clusters.map(({ metadata }) => metadata.name).join(', ');
    const sure = answers.silent.length === 0 ? '' : ' that answers';
    throw new Failure(`user "${printable(user)}" is connected to no gate of ${where}${sure}`);
  });
}

/** `now` is in milliseconds since 1970. */
export function foundLine({ user, cluster, pod, machine, worker, node, session, remote, since }: Found, now: number): string {
  const where = pod === undefined ? `the node ${node}, which is no pod of ${cluster}` : `${pod} (on ${machine ?? 'no machine'})`;
  const then = Date.parse(since ?? '');
  const details = [
    ...(remote === undefined ? [] : [`from ${remote}`]),
    ...(Number.isNaN(then) ? [] : [`for ${age((now - then) / 1000)}`]),
    ...(session === undefined ? [] : [`session ${session}`]),
  ];
  return printable(`user ${user} is connected to ${where}, worker ${worker}${details.length === 0 ? '' : `, ${details.join(', ')}`}`);
}

async function findIn({ client }: KubeSession, cluster: ClusterObject, user: string): Promise<Answers> {
  const pods = await podsOf(client, cluster);
  const gates = pods.filter((pod) => componentOf(pod) === 'gate' && pod.status?.podIP !== undefined);
  const silent: string[] = [];
  const answers = await eachOf(gates, AT_ONCE, async (pod) => {
    try {
      return await askPod<SessionView>(client, pod, `/sessions/${encodeURIComponent(user)}`);
    } catch (error) {
      // an answer of the node itself, not of the API server about its pod
      const isNowhere = error instanceof KubeError && error.status === 404 && error.reason === 'Unknown';
      if (!isNowhere) silent.push(`${pod.metadata.name} could not be asked: ${whyNot(error)}`);
      return undefined;
    }
  });
  // the gate that has the client knows more than those that only know where
  const views = answers.filter((one) => one !== undefined).toSorted((a, b) => Number(b.isHere) - Number(a.isHere));
  const nodes = [...new Set(views.map(({ node }) => node))];
  return {
    found: nodes.map((node) =>
      foundOf(
        views.find((view) => view.node === node)!,
        cluster,
        pods,
      ),
    ),
    silent,
  };
}

function foundOf({ user, node, session, remote, since }: SessionView, cluster: ClusterObject, pods: readonly PodObject[]): Found {
  const [, host = '', worker = '0'] = /^\[?(.*?)\]?:\d+\.(\d+)$/.exec(node) ?? [];
  const pod = pods.find(({ status }) => status?.podIP === host);
  const { name } = cluster.metadata;
  return {
    user,
    cluster: name,
    pod: pod?.metadata.name,
    machine: pod?.spec?.nodeName,
    worker: Number(worker),
    node,
    session,
    remote,
    since,
  };
}
