// What a worker process runs.

import { watchParent } from './tether.ts';
import { runWorker } from './worker.ts';

watchParent();
runWorker();
