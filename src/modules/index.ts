// The modules that come with the server. Each is also an example of how to write one.

import type { Shipped } from '../route/load.ts';

export const shipped: Shipped = {
  test: () => import('./test.ts'),
  echo: () => import('./echo.ts'),
};
