// The one place that imports zod, the library that judges values.
export { z } from 'zod';
