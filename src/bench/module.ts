// The benchmark's module: a handler with schemas to measure, and a way to look into the worker that is measured.

import { Session, type Profiler } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from '../config/z.ts';
import { defineModule, type ModuleHost } from '../route/module.ts';
import {
  JOIN_COMMAND,
  JSON_COMMAND,
  LOGIN_COMMAND,
  MEMORY_COMMAND,
  PROFILE_COMMAND,
  PROFILED_COMMAND,
  PUSH_COMMAND,
  SPREAD_COMMAND,
} from './commands.ts';

const SAMPLE_US = 200;
const message = z.object({ n: z.number() });
/** Messages that are on their way at once. */
const PUSHING = 64;
const PUSHED = 3901;
let session: Session | undefined;
let host: ModuleHost;

export default defineModule({
  name: 'bench',
  start: (given) => {
    host = given;
  },
  commands: {
    [JSON_COMMAND]: { request: message, reply: message, handler: ({ n }: z.infer<typeof message>) => ({ n }) },
    [LOGIN_COMMAND]: (data, ctx) => ctx.client.bind(data.toString()),
    [JOIN_COMMAND]: (data, ctx) => ctx.client.join(data.toString()),
    [PUSH_COMMAND]: {
      timeoutMs: 600_000,
      handler: async (data: Buffer) => {
        const { times, user, bytes } = JSON.parse(data.toString()) as { times: number; user: string; bytes: number };
        const message = Buffer.alloc(bytes, 'x');
        let left = times;
        const some = async () => {
          while (left-- > 0) await host.push(user, PUSHED, message);
        };
        await Promise.all(Array.from({ length: PUSHING }, some));
      },
    },
    [SPREAD_COMMAND]: {
      timeoutMs: 600_000,
      handler: async (data: Buffer) => {
        const { times, group, bytes, batch } = JSON.parse(data.toString()) as {
          times: number;
          group: string;
          bytes: number;
          batch: number;
        };
        const message = Buffer.alloc(bytes, 'x');
        for (let n = 0; n < times; n += batch) {
          await Promise.all(Array.from({ length: batch }, () => host.group(group).push(PUSHED, message)));
        }
      },
    },
    [MEMORY_COMMAND]: () => {
      collect();
      return JSON.stringify(process.memoryUsage());
    },
    [PROFILE_COMMAND]: async () => {
      session = new Session();
      session.connect();
      await new Promise<void>((resolve) => session!.post('Profiler.enable', () => resolve()));
      await new Promise<void>((resolve) => session!.post('Profiler.setSamplingInterval', { interval: SAMPLE_US }, () => resolve()));
      await new Promise<void>((resolve) => session!.post('Profiler.start', () => resolve()));
    },
    [PROFILED_COMMAND]: async () => {
      const profile = await new Promise<Profiler.Profile>((resolve, reject) => {
        if (session === undefined) return reject(new Error('no profile was begun'));
        session.post('Profiler.stop', (error, result) => (error === null ? resolve(result.profile) : reject(error)));
      });
      session?.disconnect();
      session = undefined;
      return JSON.stringify(profile);
    },
  },
});

/** Workers are started without flags, so the collector is made reachable here; twice, because finalizers free more. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
}
