// What the tests of a whole node ask of it: quick and slow answers, sessions, large replies, and ways to fail.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { defineModule } from '../../../src/route/module.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export default defineModule({
  name: 'load',
  commands: {
    // the data comes back
    2001: (data) => data,
    // data "MS rest": the same, after so many milliseconds
    2003: async (data) => {
      await sleep(Number(data.toString().split(' ')[0]));
      return data;
    },
    // counts in the session of the client; the reply also says who serves whom
    2005: (_data, ctx) => {
      const count = (ctx.session.get<number>('count') ?? 0) + 1;
      ctx.session.set('count', count);
      return JSON.stringify({ count, id: ctx.client.id, pid: process.pid });
    },
    // as many bytes as the data says
    2007: (data) => Buffer.alloc(Number(data.toString()), 'x'),
    // stands still for good
    2009: () => {
      for (;;) createHash('sha256').update('busy').digest();
    },
    // ends the process in the middle of something
    2011: () => process.exit(7),
    // never answered
    2013: { handler: () => new Promise<string>(() => undefined), timeoutMs: 3_600_000 },
    // as 2003, many at once
    2015: {
      concurrent: 64,
      handler: async (data) => {
        await sleep(Number(data.toString().split(' ')[0]));
        return data;
      },
    },
    2017: () => String(process.pid),
    // answered when the test opens the gate, a file with the name that the data says
    2021: async (data) => {
      while (!existsSync(data.toString())) await sleep(5);
      return data;
    },
    // a push for each character of the data, before the reply
    2019: (data, ctx) => {
      for (const letter of data.toString()) ctx.client.push(3001, letter);
      return data;
    },
  },
});
