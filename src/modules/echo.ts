// Answers 1101 with the data of the request: for trying out clients and for measuring.

import { defineModule } from '../route/module.ts';

export default defineModule({
  name: 'echo',
  commands: { 1101: (data) => data },
});
