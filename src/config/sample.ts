// A configuration to begin with.

import { optionKeys, optionOf, type OptionKey } from './options.ts';

const SAMPLE: Partial<Record<OptionKey, unknown>> = {
  server_name: 'kim-gate',
  worker_cnt: 2,
  node_type: 'gate',
  node_host: '127.0.0.1',
  node_port: 3344,
  gate_host: '127.0.0.1',
  gate_port: 3355,
  keep_alive: 30_000,
  log_path: 'kimserver.log',
  modules: ['module_test.so'],
  redis: { test: { host: '127.0.0.1', port: 6379, max_conn_cnt: 3 } },
  database: {
    slowlog_log_slower_than: 300,
    nodes: { test: { host: '127.0.0.1', port: 3306, user: 'root', password: 'change me', charset: 'utf8mb4', max_conn_cnt: 5 } },
  },
  zookeeper: {
    is_open: false,
    servers: '127.0.0.1:2181',
    log_path: 'zk.log',
    log_level: 'info',
    root: '/kimserver',
    watch_node_type: ['gate', 'logic'],
  },
  admin_port: 9355,
};

/** A configuration to begin with: JSON in co_kimserver's current shape, with its keys and the admin pages. */
export function renderSample(): string {
  const keys = optionKeys.filter((key) => optionOf(key).historic === true || SAMPLE[key] !== undefined);
  return `${JSON.stringify(Object.fromEntries(keys.map((key) => [key, SAMPLE[key] ?? optionOf(key).default])), null, 2)}\n`;
}
