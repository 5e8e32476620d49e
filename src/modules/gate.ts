// co_kimserver's module_gate: every command goes to a logic node. No node is known to this version, so all get what the original
// says when it knows none.

import { Fault } from '../errors.ts';
import { defineModule } from '../route/module.ts';

export default defineModule({
  name: 'gate',
  fallback: () => {
    throw new Fault('noNode', 'relay to node failed!');
  },
});
