// A worker that can not be reached any more and has not ended yet.

import { defineModule } from '../../../src/route/module.ts';

/** Long enough for clients to come meanwhile. */
const ENDS_MS = 200;

export default defineModule({
  name: 'silent',
  commands: {
    2001: (data) => data,
    2003: () => {
      process.removeAllListeners('disconnect');
      process.disconnect();
      setTimeout(() => process.exit(7), ENDS_MS);
    },
  },
});
