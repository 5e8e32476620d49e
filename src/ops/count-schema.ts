// How counts look in JSON.

import { z } from '../config/z.ts';

export const count = z.number().int().min(0);
export const amount = z.number().min(0);
export const counts = z.record(z.string(), count);
export const instant = z.iso.datetime().describe('ISO 8601, UTC');
/** Replies by code, and how long they took. */
export const repliesSchema = z.object({ codes: counts, buckets: z.array(count), sumSeconds: amount });
