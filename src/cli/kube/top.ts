// kubectl kim top: the pods of a KimCluster, live.

import { setTimeout as pause } from 'node:timers/promises';
import { drawLive } from '../live.ts';
import { TerminalScreen } from '../screen.ts';
import { painter } from '../terminal.ts';
import { lookAtPods, type PodLook } from './ask.ts';
import { podsOf, theCluster, type ClusterObject } from './objects.ts';
import { withKube, type KubeOptions, type KubeSession } from './session.ts';
import { topLines } from './top-text.ts';

interface TopOptions extends KubeOptions {
  interval: number;
  once: boolean;
}

interface Look {
  readonly cluster: ClusterObject;
  readonly pods: readonly PodLook[];
  readonly at: number;
}

/** Between the two looks of one picture. */
const BETWEEN_MS = 1000;

export function runKubeTop([name]: readonly string[], { interval, once, ...access }: TopOptions): Promise<number> {
  return withKube(access, async (session) => {
    const first = await look(session, name);
    const screen = new TerminalScreen();
    const paint = painter(process.stdout.isTTY);
    const picture = (now: Look, before: Look | undefined, problem: string | undefined, hint: string, rows: number) =>
      topLines({
        view: { cluster: now.cluster, pods: now.pods, before: before?.pods ?? [] },
        now: now.at,
        columns: rows === Infinity ? Infinity : screen.columns,
        rows,
        paint,
        problem,
        hint,
      });
    if (once || !process.stdout.isTTY) {
      await pause(BETWEEN_MS);
      const second = await look(session, first.cluster.metadata.name);
      process.stdout.write(`${picture(second, first, undefined, '', Infinity).join('\n')}\n`);
      return 0;
    }
    await drawLive({
      screen,
      first,
      look: () => look(session, first.cluster.metadata.name),
      intervalMs: interval,
      picture: (now, before, problem) =>
        picture(now, before, problem, before === undefined ? 'q ends; rates are averages since the start' : 'q ends', screen.rows),
    });
    return 0;
  });
}

/** Pods come and go meanwhile: all of it is read again. */
async function look({ client, namespace }: KubeSession, name: string | undefined): Promise<Look> {
  const cluster = await theCluster(client, namespace, name);
  const pods = await lookAtPods(client, await podsOf(client, cluster));
  return { cluster, pods, at: Date.now() };
}
