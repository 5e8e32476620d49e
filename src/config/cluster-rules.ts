// Rules between the options of a node among others.

import type { Check } from './checks.ts';
import type { DirectoryName } from './cluster-options.ts';
import { configuredDirectories } from './discovery.ts';
import { rangeText } from './route-kind.ts';

/** What a directory needs, to be told to those who forgot it. */
const NEEDS: Readonly<Record<DirectoryName, { key: 'zookeeper' | 'kubernetes_selector' | 'directory_path' | 'members'; cure: string }>> = {
  zookeeper: { key: 'zookeeper', cure: 'is not open; set is_open, servers and root in it' },
  kubernetes: { key: 'kubernetes_selector', cure: 'is empty; give the labels of the EndpointSlices of the nodes' },
  file: { key: 'directory_path', cure: 'is empty; give the folder that the nodes share' },
  static: { key: 'members', cure: 'is empty; list the other nodes there' },
};

export const clusterRules: readonly Check[] = [
  {
    keys: ['routes'],
    judge({ config: { routes }, name }) {
      for (const [i, route] of routes.entries()) {
        const other = routes.findIndex(({ first, last }, j) => j < i && first <= route.last && route.first <= last);
        if (other < 0) continue;
        return {
          at: [i, 'commands'],
          message: `${name('routes')}[${i}].commands is ${rangeText(route)} and overlaps with ${rangeText(routes[other]!)} of ${name('routes')}[${other}]; each command can go to one node type only`,
        };
      }
      return undefined;
    },
  },
  {
    keys: ['routes', 'node_type'],
    judge({ config: { routes, node_type }, name }) {
      const i = routes.findIndex(({ to }) => to === node_type);
      if (i < 0) return undefined;
      return {
        at: [i, 'to'],
        message: `${name('routes')}[${i}].to is "${node_type}", the type of the node itself, so requests would go round in circles; name another type`,
      };
    },
  },
  {
    keys: ['discovery'],
    judge({ config, name }) {
      const { discovery } = config;
      const has = configuredDirectories(config);
      const missing = discovery.findIndex((directory) => !has.includes(directory));
      if (missing >= 0) {
        const { key, cure } = NEEDS[discovery[missing]!];
        return { at: [missing], message: `${name('discovery')} names ${discovery[missing]}, but ${name(key)} ${cure}` };
      }
      const again = discovery.findIndex((directory, i) => discovery.indexOf(directory) < i);
      return again < 0
        ? undefined
        : { at: [again], message: `${name('discovery')} names ${discovery[again]} twice; name each directory once` };
    },
  },
];

export const clusterAdvice: readonly Check[] = [
  {
    keys: ['discovery'],
    judge({ config, name, given }) {
      const unused = configuredDirectories(config).filter((directory) => !config.discovery.includes(directory));
      return given('discovery') && unused.length > 0
        ? `${name('discovery')} leaves out ${unused.join(' and ')}, though ${name(NEEDS[unused[0]!].key)} is set; it is not used`
        : undefined;
    },
  },
  {
    keys: ['routes'],
    judge: ({ config: { routes, discovery }, name }) =>
      routes.length > 0 && discovery.length === 0
        ? `${name('routes')} are given, but the node knows no other nodes; set zookeeper, ${name('directory_path')} or ${name('members')}`
        : undefined,
  },
];
