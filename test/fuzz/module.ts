// What the node under attack answers besides the shipped modules: handlers that are slow, that fail, that keep timers and sessions.

import { Fault } from '../../src/errors.ts';
import { defineModule } from '../../src/route/module.ts';
import { PUSH } from './frames.ts';

const TIMEOUT_MS = 30;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export default defineModule({
  name: 'fuzz',
  fallback: (data) => data,
  expired: (client) => void client.push(PUSH, 'expired'),
  commands: {
    2001: async (data) => {
      await Promise.resolve();
      return data;
    },
    2003: {
      concurrent: 8,
      handler: async (data) => {
        await sleep(data.length % 4);
        return data;
      },
    },
    2005: () => {
      throw new TypeError('a defect of a module');
    },
    2007: () => {
      throw new Fault('invalidParams');
    },
    2009: { timeoutMs: TIMEOUT_MS, handler: () => new Promise<string>(() => undefined) },
    2011: (data, ctx) => {
      ctx.session.set(`key ${data.length % 4}`, { seen: data.length }, { ttlMs: 1 + (data.length % 50) });
      return data;
    },
    2013: (data, ctx) => {
      for (let i = 0; i < 3; i++) ctx.client.push(PUSH, data);
      return data;
    },
    2015: (_data, ctx) => ctx.client.close(),
    2017: (data) => Buffer.alloc(Number(data.toString()), 'x'),
    // a session that is used when its client may be gone already
    2019: async (data, ctx) => {
      await sleep(1);
      ctx.session.set('late', data.length, { ttlMs: 60_000 });
      ctx.client.push(PUSH, 'late');
      return data;
    },
  },
});
