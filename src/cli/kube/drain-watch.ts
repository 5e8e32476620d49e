// A pod that drains, until it is gone: how many clients it has left, and when that will be over.

import { setTimeout as pause } from 'node:timers/promises';
import { isAway, isNotFound } from '../../kube/error.ts';
import { pathOf } from '../../kube/types.ts';
import { CLUSTER_LABEL, pods as podKind } from '../../operator/run/kinds.ts';
import { Failure } from '../problem.ts';
import { age, whole } from '../terminal.ts';
import { lookAtPods } from './ask.ts';
import { componentOf, podsOf, type PodObject } from './objects.ts';
import type { KubeSession } from './session.ts';
import { clientsOfNode } from './status-text.ts';

const LOOK_MS = 500;
/** For Kubernetes to kill what has not ended by itself, and to say so. */
const SLACK_MS = 30_000;
/** For a pod whose operator has it drain first: the longest time to drain is a day, but nobody waits for that. */
const LONGEST_MS = 3_600_000;

/** How long the API server may be away: a drain does not depend on it. */
const AWAY_MS = 60_000;
/** A count that is older says nothing of how a pod ended. */
const FRESH_MS = 5000;

export interface Drained {
  readonly pod: string;
  /** Clients that it had when it was first looked at; undefined if it never answered. */
  readonly clients: number | undefined;
  /** Clients that it still had when Kubernetes killed it. */
  readonly forced: number;
  readonly seconds: number;
  /** Pods of its kind that came meanwhile. */
  readonly came: readonly string[];
}

interface Watching {
  /** Told how far it is, again and again. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Between two looks, in milliseconds; default 500. */
  readonly lookMs?: number;
}

/** Resolves when the pod is gone. Throws a Failure when it does not go though its time is over. */
export async function watchDrain(
  session: Pick<KubeSession, 'client'>,
  pod: PodObject,
  { say, signal, lookMs = LOOK_MS }: Watching,
): Promise<Drained> {
  const { client } = session;
  const { name, uid } = pod.metadata;
  const begun = Date.now();
  const counts: Count[] = [];
  let endsAt: number | undefined;
  let seenAt = begun;
  for (; ; await pause(lookMs, undefined, { signal })) {
    let now: PodObject | undefined;
    try {
      now = await find(session, pod);
    } catch (error) {
      if (!isAway(error) || Date.now() - seenAt > AWAY_MS) throw error;
      say(`${name} drains; the API server does not answer`);
      continue;
    }
    seenAt = Date.now();
    if (now?.metadata.uid !== uid) break;
    endsAt = timeOf(now?.metadata.deletionTimestamp) ?? endsAt;
    const [look] = await lookAtPods(client, [now!]);
    if (look?.look !== undefined) counts.push({ at: look.look.at, clients: clientsOfNode(look.look.status) });
    say(progressLine(name, counts, endsAt, Date.now()));
    if (Date.now() > (endsAt === undefined ? begun + LONGEST_MS : endsAt + SLACK_MS)) {
      throw new Failure(
        `pod "${name}" has not ended though its time is over; its machine may be lost: kubectl describe pod ${name}, kubectl get nodes`,
      );
    }
  }
  const last = counts.at(-1);
  const since = Math.min(begun, toldAt(pod) ?? begun);
  const wasKilled = endsAt !== undefined && Date.now() >= endsAt && last !== undefined && Date.now() - last.at < FRESH_MS;
  return {
    pod: name,
    clients: counts[0]?.clients,
    forced: wasKilled ? last.clients : 0,
    seconds: Math.round((Date.now() - since) / 1000),
    came: await newcomers(session, pod, since),
  };
}

export interface Count {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly clients: number;
}

/** `endsAt` is when Kubernetes kills it; all times in milliseconds since 1970. */
export function progressLine(name: string, counts: readonly Count[], endsAt: number | undefined, now: number): string {
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) return `${name} drains; it does not answer, so nobody knows how many clients it has left`;
  const perMs = (first.clients - last.clients) / Math.max(1, last.at - first.at);
  const paced = perMs > 0 ? now + last.clients / perMs : Infinity;
  const end = Math.min(paced, endsAt ?? Infinity);
  if (last.clients === 0) return `${name} drains: no clients left; it ends`;
  const about = end === Infinity ? '' : `, over in about ${age((end - now) / 1000)}`;
  return `${name} drains: ${whole(last.clients)} of ${whole(Math.max(first.clients, last.clients))} clients left${about}`;
}

export function drainedLine({ pod, clients, forced, seconds, came }: Drained): string {
  const left =
    clients === undefined
      ? ''
      : forced > 0
        ? `, ${whole(forced)} of its clients were cut off`
        : `, and its ${whole(clients)} clients went elsewhere`;
  const place = came.length === 0 ? '' : `; ${came.join(', ')} ${came.length === 1 ? 'takes' : 'take'} its place`;
  return `${pod} is gone after ${seconds} s${clients === 0 ? ' and had no clients' : left}${place}`;
}

async function find({ client }: Pick<KubeSession, 'client'>, { metadata: { namespace, name } }: PodObject): Promise<PodObject | undefined> {
  try {
    return await client.get<PodObject>(pathOf(podKind, { namespace, name }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** When a pod that ends already was told to, milliseconds since 1970. */
function toldAt({ metadata: { deletionTimestamp }, spec }: PodObject): number | undefined {
  const endsAt = timeOf(deletionTimestamp);
  return endsAt === undefined ? undefined : endsAt - (spec?.terminationGracePeriodSeconds ?? 0) * 1000;
}

/** Clocks of two machines may be apart by some seconds. */
const APART_MS = 5000;

async function newcomers({ client }: Pick<KubeSession, 'client'>, pod: PodObject, since: number): Promise<string[]> {
  const { namespace, labels = {} } = pod.metadata;
  const cluster = { apiVersion: '', kind: '', metadata: { namespace: namespace!, name: labels[CLUSTER_LABEL] ?? '' } };
  const pods = await podsOf(client, cluster);
  const isNew = ({ metadata }: PodObject) => (timeOf(metadata.creationTimestamp) ?? 0) >= since - APART_MS;
  return pods.filter((one) => componentOf(one) === componentOf(pod) && isNew(one)).map(({ metadata }) => metadata.name);
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
