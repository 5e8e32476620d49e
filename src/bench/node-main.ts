// A process that runs the node to be measured: a real manager with real workers.

import { fileURLToPath } from 'node:url';
import { extname } from 'node:path';
import { parseNodeConfig } from '../config/node-config.ts';
import { Manager } from '../node/manager.ts';
import { answerQuestions } from './child.ts';

/** Keys of a configuration that differ from what is measured by default. */
export type NodeQuestion = { type: 'start'; raw: Readonly<Record<string, unknown>> };

export interface Started {
  /** Of the gate; 0 for a node without one. */
  port: number;
  /** Processes of the workers. */
  workers: number[];
}

/** Every limit is on and has its default; the ports are free ones and only what goes wrong is logged. */
const BASE = {
  server_name: 'kim-bench',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  admin_port: 0,
  log_level: 'error',
  modules: ['test', 'echo', fileURLToPath(new URL(`./module${extname(import.meta.url)}`, import.meta.url))],
};

let manager: Manager | undefined;

answerQuestions<NodeQuestion>(
  async ({ raw }): Promise<Started> => {
    const { config } = parseNodeConfig({ ...BASE, ...raw }, 'the benchmark');
    manager = await Manager.start({ config, folder: process.cwd(), version: 'bench' });
    const port = manager.listeners().find(({ kind }) => kind === 'gate')?.port ?? 0;
    return { port, workers: manager.pool.serving().map(({ child }) => child.pid!) };
  },
  () => manager?.kill(),
);
