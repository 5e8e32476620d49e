// What stands in the file of a member: its announcement, and which process wrote it.

import { z } from '../../config/z.ts';
import type { Announcement } from '../directory.ts';
import { isValid } from '../member.ts';

export interface Writer {
  readonly pid: number;
  /** When the process was started, as the system counts it; empty where the system does not tell. */
  readonly started: string;
}

const text = z.string().max(300);

const schema = z.object({
  type: text,
  host: text,
  port: z.int(),
  workers: z.int().max(65_535),
  activeTime: z.number(),
  name: text,
  facts: z.object({ state: z.enum(['serving', 'draining']), version: text, connections: z.number(), gate: text }).optional(),
  writer: z.object({ pid: z.int().min(1), started: z.string() }),
});

export function recordText(announcement: Announcement, writer: Writer): string {
  return `${JSON.stringify({ ...announcement, writer }, undefined, 2)}\n`;
}

/** Undefined for what is no record, half of one, or one that says nothing that can be used. */
export function parseRecord(content: string): { announcement: Announcement; writer: Writer } | undefined {
  try {
    const { writer, facts, ...rest } = schema.parse(JSON.parse(content));
    const announcement: Announcement = { ...rest, facts };
    return isValid({ ...announcement, source: '' }) ? { announcement, writer } : undefined;
  } catch {
    return undefined;
  }
}
