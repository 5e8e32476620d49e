// All commands of "kim": what they take, and an example of each. Their code is loaded when one is run.

import { choice, command, flag, list, text, time, whole, type AnyCommand } from './command.ts';
import { QUICKSTART } from './paths.ts';

const ADDRESS = ['[address]', 'admin address of the node, as 127.0.0.1:9355 or a URL (default 127.0.0.1:9355)'] as const;
const FILE = ['<file>', 'a node (JSON) or a KimCluster (YAML)'] as const;
const set = () => list('--set <key=value>', 'an option over the file and the environment; may be repeated');
const strict = () => flag('--strict', 'refuse unknown keys instead of warning of them');
const outputTextOrJson = () => choice('-o, --output <form>', 'form of the output', ['text', 'json']);

/** Groups of commands, such as "kim config check". */
export const groups: Readonly<Record<string, string>> = {
  config: 'check, print and explain configurations',
  modules: 'see the modules that a node can run',
};

export const commands: readonly AnyCommand[] = [
  command({
    name: 'up',
    summary: 'run a whole KimCluster as processes on this machine, and follow its file',
    args: [['[file]', 'a KimCluster (default manifests/quickstart.yaml)']],
    options: {
      watch: flag('--no-watch', 'do not follow changes of the file', true),
      output: outputTextOrJson(),
    },
    examples: ['kim up', 'kim up shop.yaml --no-watch'],
    async load() {
      const { up } = await import('./commands/up.ts');
      return ([file = QUICKSTART], options) => up(file, options);
    },
  }),
  command({
    name: 'node',
    summary: 'run one node from a configuration with the keys of co_kimserver',
    args: [['<config>', 'its configuration, JSON']],
    options: {
      set: set(),
      watch: flag('--watch', 'replace the workers when the file of a module changes'),
      strict: strict(),
    },
    examples: ['kim node gate.json', 'kim node gate.json --set worker_cnt=4 --set log_level=debug --watch'],
    load: async () => (await import('./commands/node.ts')).runNode,
  }),
  command({
    name: 'call',
    summary: 'send a request and show its reply',
    args: [
      ['<address>', 'gate port of a node, as 127.0.0.1:3355'],
      ['<command>', 'number of the command'],
      ['[data]', 'data of the request (default none)'],
    ],
    options: {
      proto: text('--proto <file>', 'a .proto file: data is written and shown as JSON'),
      type: text('--type <type>', 'message type of the request in that file'),
      replyType: text('--reply-type <type>', 'message type of the reply (default: that of the request)'),
      hex: flag('--hex', 'data is given as hexadecimal digits'),
      count: whole('--count <n>', 'send the request so many times, one after another', 1, 1_000_000, 1),
      timeout: time('--timeout <time>', 'how long to wait for the connection and for each reply', 5000),
      output: outputTextOrJson(),
    },
    examples: [
      'kim call 127.0.0.1:3355 1001 "1 - hello"',
      'kim call 127.0.0.1:3355 2007 \'{ "id": 7, "count": 2 }\' --proto shop.proto --type shop.Order --reply-type shop.Receipt',
    ],
    load: async () => (await import('./commands/call.ts')).runCall,
  }),
  command({
    name: 'status',
    summary: 'show a running node: workers, connections, requests, limits',
    args: [ADDRESS],
    options: {
      rates: flag('--rates', 'look twice, a second apart, and show what happens per second'),
      output: outputTextOrJson(),
    },
    examples: ['kim status', 'kim status 127.0.0.1:9355 --rates'],
    load: async () => (await import('./commands/status.ts')).runStatus,
  }),
  command({
    name: 'top',
    summary: 'watch a running node live; q ends',
    args: [ADDRESS],
    options: {
      interval: time('--interval <time>', 'time between two looks', 1000),
      once: flag('--once', 'print one picture and end'),
    },
    examples: ['kim top', 'kim top 127.0.0.1:9355 --interval 5s'],
    load: async () => (await import('./commands/top.ts')).runTop,
  }),
  command({
    name: 'cluster',
    summary: 'show the nodes of a cluster: state, workers, share of the keys, load',
    args: [['[name]', 'a KimCluster that "kim up" runs in this folder (default the only one)']],
    options: {
      zookeeper: text('--zookeeper <servers>', 'look into this ZooKeeper, as 10.0.0.1:2181,10.0.0.2:2181'),
      root: text('--root <path>', 'where the cluster lives in it (default /kimserver)'),
      authFile: text('--auth-file <file>', 'a file with USER:PASSWORD for it'),
      watch: flag('--watch', 'look again each second; q ends'),
      output: outputTextOrJson(),
    },
    examples: ['kim cluster', 'kim cluster demo --watch', 'kim cluster --zookeeper 127.0.0.1:2181 --root /kimserver -o json'],
    load: async () => (await import('./commands/cluster.ts')).runCluster,
  }),
  command({
    name: 'plan',
    summary: 'show what a KimCluster would become in Kubernetes, or change there, and how many connections that touches; nothing is done',
    args: [],
    options: {
      file: text('-f, --file <file>', 'the KimCluster (YAML)'),
      against: choice('--against <what>', 'compare with what is there', ['nothing', 'cluster']),
      namespace: text('-n, --namespace <name>', 'where it is or shall be (default that of the file, then that of the kubeconfig)'),
      kubeconfig: text('--kubeconfig <file>', 'how to reach the cluster (default KUBECONFIG, then ~/.kube/config)'),
      context: text('--context <name>', 'which context of it (default its current one)'),
      output: choice('-o, --output <form>', 'form of the output', ['text', 'json', 'yaml']),
    },
    examples: [
      'kim plan -f manifests/quickstart.yaml',
      'kim plan -f shop.yaml --against cluster',
      'kim plan -f shop.yaml -o yaml > objects.yaml',
    ],
    load: async () => (await import('./commands/plan.ts')).runPlan,
  }),
  command({
    name: 'operator',
    summary: 'keep KimClusters in Kubernetes as their specs say; the chart runs this',
    args: [],
    options: {
      namespaces: text('--namespaces <list>', 'look for KimClusters in these only, as shop,chat (default all)'),
      leaseName: text('--lease-name <name>', 'of several operators with one lease one works (default kimserver-operator)'),
      leaseNamespace: text('--lease-namespace <name>', 'where the lease and the key are (default its own)'),
      metricsPort: whole('--metrics-port <port>', 'port of /metrics', 0, 65_535, 8080),
      healthPort: whole('--health-port <port>', 'port of /livez and /readyz', 0, 65_535, 8081),
      logLevel: text('--log-level <level>', 'debug, info, warn or error (default info)'),
      kubeconfig: text('--kubeconfig <file>', 'outside a cluster (default KUBECONFIG, then ~/.kube/config)'),
      imageVolumes: flag('--image-volumes', 'modules come as image volumes (Kubernetes 1.33 or later with that feature)'),
    },
    examples: ['kim operator', 'kim operator --kubeconfig ~/.kube/config --namespaces shop --log-level debug'],
    async load() {
      const { runOperator } = await import('./commands/operator.ts');
      return (_args, options) => runOperator(options);
    },
  }),
  command({
    name: 'bench',
    summary: 'measure a node, or a floor to compare with; its own options are shown by "kim bench --help"',
    args: [],
    options: {},
    examples: ['kim bench', 'kim bench -o json'],
    passThrough: true,
    load: async () => (await import('../bench/main.ts')).runBench,
  }),
  command({
    name: 'config check',
    summary: 'say everything that is wrong with a configuration, with its lines',
    args: [FILE],
    options: {
      set: set(),
      strict: strict(),
      kubernetes: flag('--kubernetes', 'judge a KimCluster as Kubernetes does, where each replica has addresses of its own'),
      output: outputTextOrJson(),
    },
    examples: [
      'kim config check gate.json',
      'kim config check manifests/quickstart.yaml -o json',
      'kim config check shop.yaml --kubernetes',
    ],
    load: async () => (await import('./commands/config-check.ts')).runConfigCheck,
  }),
  command({
    name: 'config print',
    summary: 'print a configuration as it counts: with defaults, without secrets',
    args: [FILE],
    options: {
      set: set(),
      tier: text('--tier <tier>', 'the first node of this tier of a KimCluster (gate or logic), as its own configuration'),
      output: choice('-o, --output <form>', 'form of the output', ['auto', 'json', 'yaml']),
    },
    examples: ['kim config print gate.json', 'kim config print manifests/quickstart.yaml --tier gate'],
    load: async () => (await import('./commands/config-print.ts')).runConfigPrint,
  }),
  command({
    name: 'config docs',
    summary: 'explain all options, or those that a file sets',
    args: [['[file]', 'a node (JSON) or a KimCluster (YAML); without it all options']],
    options: { output: choice('-o, --output <form>', 'form of the output', ['text', 'markdown']) },
    examples: ['kim config docs', 'kim config docs gate.json', 'kim config docs -o markdown > configuration.md'],
    load: async () => (await import('./commands/config-docs.ts')).runConfigDocs,
  }),
  command({
    name: 'modules list',
    summary: 'list the modules that ship with kimserver, and those of a configuration',
    args: [['[config]', 'a node (JSON) or a KimCluster (YAML)']],
    options: { output: outputTextOrJson() },
    examples: ['kim modules list', 'kim modules list gate.json'],
    load: async () => (await import('./commands/modules-list.ts')).runModulesList,
  }),
];
