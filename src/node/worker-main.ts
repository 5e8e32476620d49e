// What a worker process runs.

import { runWorker } from './worker.ts';

runWorker();
