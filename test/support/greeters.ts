// A cluster with clients of ours that began with HELLO, whose connections a test can cut.

import type { TestContext } from 'node:test';
import { createClient, type Client, type ClientOptions } from '../../src/client/index.ts';
import { tcpTransport } from '../../src/client/transport-tcp.ts';
import type { Link } from '../../src/client/transport.ts';
import type { TestNode } from './node.ts';
import { TestCluster } from './nodes.ts';
import { until } from './until.ts';

export interface Greeter {
  readonly client: Client;
  /** Ends its connections as a program that dies, without a word to the gate. */
  cut(): void;
}

/** Gates of two workers each before two logic nodes with the modules of the tests. */
export async function greeters(t: TestContext, { gates = 2, gate = {} }: { gates?: number; gate?: Record<string, unknown> } = {}) {
  const options = { worker_cnt: 2, drain_ms: 5000, ...gate };
  const cluster = await TestCluster.start(t, { logics: 2, logic: { modules: ['social.ts', 'load.ts'] }, gate: options });
  const all = [cluster.gate];
  while (all.length < gates) all.push(await cluster.addGate(options));
  await cluster.settled();
  // each tells where clients can go on that another one sends away
  for (const { manager, port } of all) await manager.reload({ ...manager.config, gate_advertise: `127.0.0.1:${port}` });
  const knows = ({ manager }: TestNode) => manager.membership.members.filter(({ facts }) => facts?.gate).length === all.length;
  await until(() => all.every(knows), 'all gates know where clients reach the others');
  const clients: Client[] = [];
  t.after(() => Promise.all(clients.map((client) => client.close())));
  const connect = async (to: TestNode, more: Partial<ClientOptions> = {}): Promise<Greeter> => {
    const links: Link[] = [];
    const client = createClient({
      host: '127.0.0.1',
      port: to.port,
      hello: true,
      reconnect: { minMs: 5, maxMs: 50 },
      transport: {
        ...tcpTransport,
        connect(address, events) {
          const link = tcpTransport.connect(address, events);
          links.push(link);
          return link;
        },
      },
      ...more,
    });
    clients.push(client);
    await client.connect();
    return { client, cut: () => links.forEach((link) => link.destroy()) };
  };
  return { cluster, gates: all, connect };
}

export const ask = async (client: Client, cmd: number, data = ''): Promise<string> => (await client.request(cmd, data)).text();

/** Counts in the session of the client; the answer also says who serves it. */
export const count = async (client: Client): Promise<{ count: number; id: string; pid: number }> =>
  JSON.parse(await ask(client, 2005)) as { count: number; id: string; pid: number };
