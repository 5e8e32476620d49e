// The network of a cluster: a bridge on the machine, and a namespace for each node with a link into it.
//
//     machine 10.200.3.1 ── kimk3 ─┬─ kimk3n1 ─(eth0)─ namespace kimk3n1, 10.200.3.11 ── pods 10.201.13.0/24
//                                  └─ kimk3n2 ─(eth0)─ namespace kimk3n2, 10.200.3.12 ── pods 10.201.14.0/24

import { run } from './run.ts';
import { bridgeOf, type NodeNames, type Slot } from './slot.ts';

/** Nodes reach each other's pods without the machine: it need not forward anything, whatever its own rules are. */
export async function makeNetwork(slot: Slot, nodes: readonly NodeNames[]): Promise<void> {
  const bridge = bridgeOf(slot);
  await ip([
    `link add ${bridge.name} type bridge`,
    `addr add ${bridge.address}/24 dev ${bridge.name}`,
    `link set ${bridge.name} up`,
    ...nodes.flatMap(({ name, address, pods }) => [
      `netns add ${name}`,
      `link add ${name} type veth peer name eth0 netns ${name}`,
      `link set ${name} master ${bridge.name} up`,
      `route add ${pods} via ${address}`,
    ]),
  ]);
  for (const { name, address } of nodes) {
    await ip(
      [
        'link set lo up',
        `addr add ${address}/24 dev eth0`,
        'link set eth0 up',
        `route add default via ${bridge.address}`,
        ...nodes.filter((other) => other.name !== name).map((other) => `route add ${other.pods} via ${other.address}`),
      ],
      name,
    );
    await run('nsenter', [`--net=/run/netns/${name}`, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
  }
}

/** Cuts a node off, as when its machine is lost, or joins it again. */
export async function setLink({ name }: NodeNames, state: 'up' | 'down'): Promise<void> {
  await ip([`link set ${name} ${state}`]);
}

async function ip(commands: readonly string[], namespace?: string): Promise<void> {
  const inside = namespace === undefined ? [] : ['-netns', namespace];
  await run('ip', [...inside, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
