// Answers every command that nobody else claims with its own data: for trying out clients.

import { defineModule } from '../route/module.ts';

export default defineModule({
  name: 'echo',
  fallback: (data) => data,
});
