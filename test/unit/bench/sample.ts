// Results made up for tests of what is made of results.

import type { Figures, Results } from '../../../src/bench/results.ts';

function figures(cpuUs: number, rate: number): Figures {
  const curve = [0, 0.5, 0.9, 0.99, 0.999, 0.9999].map((share, i) => [share, 300 * 3 ** i] as const);
  return { rate, p50Us: 900, p99Us: 8100, p999Us: 24_300, cpuUs, managerUs: 0.01, loadUs: 3, loadBusy: 0.9, curve };
}

export const sample: Results = {
  about: {
    commit: 'abc1234',
    node: 'v24.0.0',
    cpu: '2 x <Processor> & Sons',
    kernel: 'Linux 6.1',
    date: '2026-01-31',
    seconds: 3,
    rounds: 3,
    connections: 400,
    loads: 2,
    awake: false,
  },
  load: [
    {
      name: 'depth1',
      what: 'command 1001',
      depth: 1,
      floor: figures(3, 280_000),
      ours: figures(3.9, 210_000),
      ratios: [1.3, 1.3 + 0.1, 1.3 - 0.1],
    },
    {
      name: 'depth10',
      what: 'command 1001',
      depth: 10,
      floor: figures(0.4, 1_500_000),
      ours: figures(0.6, 1_100_000),
      ratios: [1.5, 1.5 + 0.1, 1.5 - 0.1],
    },
    {
      name: 'echo',
      what: 'command 1101',
      depth: 100,
      floor: figures(0.1, 9_000_000),
      ours: figures(0.2, 5_000_000),
      ratios: [2, 2 + 0.1, 2 - 0.1],
    },
  ],
  workers: [{ depth: 10, one: figures(0.6, 1_100_000), two: figures(0.63, 1_900_000), ratios: [1.05, 1.05 + 0.1, 1.05 - 0.1] }],
  churn: [{ who: 'floor', rate: 24_629, p50Us: 1440, p99Us: 9000, managerUs: 0, workerUs: 17.7, loadUs: 60 }],
  idle: [
    { who: 'floor', connections: 10_000, rssBytes: 2560, collectedBytes: undefined, workerCpu: 0, managerCpu: 0 },
    { who: 'kimserver', connections: 10_000, rssBytes: 4300, collectedBytes: 7000, workerCpu: 0.003, managerCpu: 0.001 },
  ],
  relay: [
    { depth: 10, connections: 400, own: figures(0.6, 1_100_000), gate: figures(0.9, 500_000), logicUs: 0.2, ratios: [1.8, 1.9, 1.7] },
    { depth: 1, connections: 4, own: figures(4, 70_000), gate: figures(9, 30_000), logicUs: 5, ratios: [3.5] },
  ],
  spread: [
    { what: 'one user', deliveries: 1000, rate: 90_000, gateUs: 6, logicUs: 8 },
    { what: 'a group', deliveries: 50_000, rate: 110_000, gateUs: 5, logicUs: 0.1 },
    { what: 'a group by 10', deliveries: 500_000, rate: 1_200_000, gateUs: 1.5, logicUs: 0.01 },
  ],
  ring: { points: 320_000, coldMs: 220, changeMs: 5, lookupNs: 30 },
  soak: {
    points: [
      { requests: 1_000_000, rssBytes: 110e6, heapBytes: 16e6 },
      { requests: 10_000_000, rssBytes: 112e6, heapBytes: 16e6 },
    ],
    rate: 5e6,
  },
  profiles: [{ name: 'depth1', file: '/tmp/worker.cpuprofile', top: [{ what: 'writeBuffer', share: 0.66 }] }],
};
