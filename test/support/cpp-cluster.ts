// A gate of ours in front of logic nodes in C++, which it knows from a list.

import type { TestContext } from 'node:test';
import { CppServer, type CppServerOptions } from './cpp-server.ts';
import { startNode, type TestNode } from './node.ts';

/** What module_gate of an original does: every command goes to logic, and the data says to whom. */
export const BY_DATA = { commands: '1000-', to: 'logic', key: 'data' };

/** Starts the logic nodes, and a gate with `raw` that relays to them by `route`. */
export async function gateBefore(
  t: TestContext,
  nodes: readonly CppServerOptions[],
  { route = {}, ...raw }: Record<string, unknown> & { route?: Record<string, unknown> } = {},
): Promise<{ gate: TestNode; servers: CppServer[] }> {
  const servers = await Promise.all(nodes.map((options) => CppServer.listen(t, options)));
  const gate = await startNode(t, {
    node_host: '127.0.0.1',
    node_port: 0,
    modules: [],
    routes: [{ ...BY_DATA, ...route }],
    members: servers.map(({ member }) => member),
    ...raw,
  });
  return { gate, servers };
}
