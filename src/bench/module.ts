// The benchmark's module: a handler with schemas to measure, and a way to look into the worker that is measured.

import { Session, type Profiler } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from '../config/z.ts';
import { defineModule } from '../route/module.ts';
import { JSON_COMMAND, MEMORY_COMMAND, PROFILE_COMMAND, PROFILED_COMMAND } from './commands.ts';

const SAMPLE_US = 200;
const message = z.object({ n: z.number() });
let session: Session | undefined;

export default defineModule({
  name: 'bench',
  commands: {
    [JSON_COMMAND]: { request: message, reply: message, handler: ({ n }: z.infer<typeof message>) => ({ n }) },
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
