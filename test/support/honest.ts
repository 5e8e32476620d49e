// A client that asks for something again and again while others misbehave, and is owed an answer each time.

import type { TestNode } from './node.ts';
import { rssOf } from './processes.ts';

/** It asks so often at least, however short the attack. */
const LEAST = 20;

export interface HonestReport {
  wrong: string[];
  /** By how many bytes the memory of the worker grew while it was asked, at most. */
  grown: number;
}

/** Asks until `stop`; on the only worker of the node, so that whoever attacks it attacks this client's worker. */
export async function honestClient(node: TestNode): Promise<{ stop(): Promise<HonestReport> }> {
  const client = await node.connect();
  const [pid] = node.pids() as [number];
  const ask = async (text: string) => {
    try {
      const { code, data } = await client.request(2001, text);
      return code === 0 && data === text ? undefined : `"${text}" got ${code} "${data}"`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (let i = 0; i < 100; i++) await ask('warm');
  const before = rssOf(pid);
  let most = before;
  let asked = 0;
  let stopped = false;
  const wrong: string[] = [];
  const running = (async () => {
    while ((!stopped || asked < LEAST) && wrong.length === 0) {
      const problem = await ask(`request ${++asked}`);
      if (problem !== undefined) wrong.push(problem);
      if (asked % 20 === 0) most = Math.max(most, rssOf(pid));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return { wrong, grown: Math.max(most, rssOf(pid)) - before };
    },
  };
}
