// All commands of "kubectl kim": what they take, and an example of each. Their code is loaded when one is run.

import { choice, command, flag, text, time, type AnyCommand } from '../command.ts';

const NAME = ['[name]', 'a KimCluster (default the only one of the namespace)'] as const;
const access = () => ({
  namespace: text('-n, --namespace <name>', 'namespace (default that of the kubeconfig)'),
  kubeconfig: text('--kubeconfig <file>', 'how to reach the cluster (default KUBECONFIG, then ~/.kube/config)'),
  context: text('--context <name>', 'which context of it (default its current one)'),
});
const allNamespaces = () => flag('-A, --all-namespaces', 'in all namespaces');
const outputTextOrJson = () => choice('-o, --output <form>', 'form of the output', ['text', 'json']);

export const kubeCommands: readonly AnyCommand[] = [
  command({
    name: 'status',
    summary: 'show a KimCluster: pods, connections, discovery, what is going on and what to do next',
    args: [['[name]', 'a KimCluster (default all of the namespace)']],
    options: { ...access(), allNamespaces: allNamespaces(), output: outputTextOrJson() },
    examples: ['kubectl kim status', 'kubectl kim status demo -n shop', 'kubectl kim status -A -o json'],
    load: async () => (await import('./status.ts')).runKubeStatus,
  }),
  command({
    name: 'top',
    summary: 'watch what each pod of a KimCluster does, live; q ends',
    args: [NAME],
    options: {
      ...access(),
      interval: time('--interval <time>', 'time between two looks', 2000),
      once: flag('--once', 'print one picture and end, as it does where there is no terminal'),
    },
    examples: ['kubectl kim top', 'kubectl kim top demo -n shop --interval 5s'],
    load: async () => (await import('./top.ts')).runKubeTop,
  }),
  command({
    name: 'drain',
    summary: 'replace a pod without losing anybody: its clients move to the others first; shows how far that is',
    args: [['<pod>', 'a gate or a logic node']],
    options: {
      ...access(),
      wait: flag('--no-wait', 'end as soon as it has begun', true),
      output: outputTextOrJson(),
    },
    examples: ['kubectl kim drain demo-gate-6d5f7c9b8-x2x9p', 'kubectl kim drain demo-gate-6d5f7c9b8-x2x9p -n shop --no-wait'],
    load: async () => (await import('./drain.ts')).runKubeDrain,
  }),
  command({
    name: 'find',
    summary: 'say which pod and worker a user is connected to',
    args: [
      ['<user>', 'user id'],
      ['[name]', 'a KimCluster (default all of the namespace)'],
    ],
    options: { ...access(), output: outputTextOrJson() },
    examples: ['kubectl kim find 1001', 'kubectl kim find alice demo -n shop'],
    load: async () => (await import('./find.ts')).runKubeFind,
  }),
  command({
    name: 'plan',
    summary: 'show what a KimCluster would change in the cluster, and how many connections that touches; nothing is done',
    args: [['[name]', 'a KimCluster that is there, in place of a file (default the only one): what the operator has still to do']],
    options: {
      ...access(),
      file: text('-f, --file <file>', 'the KimCluster (YAML)'),
      against: choice('--against <what>', 'compare with what is there', ['cluster', 'nothing']),
      output: choice('-o, --output <form>', 'form of the output', ['text', 'json', 'yaml']),
    },
    examples: ['kubectl kim plan -f shop.yaml', 'kubectl kim plan demo', 'kubectl kim plan -f shop.yaml --against nothing -o yaml'],
    load: async () => (await import('../commands/plan.ts')).runKubePlan,
  }),
  command({
    name: 'debug',
    summary: 'collect what somebody needs who looks for a fault into one file, without secrets',
    args: [['[name]', 'a KimCluster (default all of the namespace)']],
    options: {
      ...access(),
      output: text('--output <file>', 'where to (default kim-debug-NAME-TIME.tar.gz in this folder)'),
      operatorNamespace: text('--operator-namespace <name>', 'where the operator is (default: looked for)'),
    },
    examples: ['kubectl kim debug', 'kubectl kim debug demo -n shop --output demo.tar.gz'],
    load: async () => (await import('./debug.ts')).runKubeDebug,
  }),
];
