// What stands in ZooKeeper, as text: the originals' paths and JSON byte for byte, and the record of our own facts beside them. Pure.

import { addressOf, isValid, type Facts, type Member } from '../member.ts';
import type { Announcement } from '../directory.ts';

/** Folders of node types. */
export interface ZookeeperPaths {
  readonly nodes: string;
  readonly payload: string;
  readonly kim: string;
}

const SOURCE = 'zookeeper';
const LEAF = /^(.*)(-?\d{10})$/s;

/** A root, as in /kimserver, holds nodes/TYPE and payload/TYPE, and kim/TYPE of ours. */
export function pathsOf(root: string): ZookeeperPaths {
  const clean = cleanPath(root);
  return { nodes: `${clean}/nodes`, payload: `${clean}/payload`, kim: `${clean}/kim` };
}

/** With one slash in front and none behind; the root itself is ''. Throws one sentence for what can be no path. */
function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  if (!path.startsWith('/') || parts.some((part) => part === '.' || part === '..')) {
    throw new Error(`ZooKeeper path "${path}" is none; write one such as /kimserver`);
  }
  return parts.map((part) => `/${part}`).join('');
}

/** What the sequence number is appended to. */
export function leafPrefix({ name, type }: Pick<Announcement, 'name' | 'type'>): string {
  return `${name}-${type}`;
}

/** Whether a leaf is of a node of that name and type. */
export function hasPrefix(leaf: string, prefix: string): boolean {
  return LEAF.exec(leaf)?.[1] === prefix;
}

/** The original's record. It reads no other keys, so there are none; and the port is text. */
export function nodeText(path: string, { type, host, port, workers }: Announcement, activeTime: number): string {
  return JSON.stringify({ path, type, host, port: String(port), worker_cnt: workers, active_time: activeTime });
}

/** Our own record: the facts, and what a node that drains tells nowhere else. */
export function factsText({ name, type, host, port, workers, facts }: Announcement, activeTime: number): string {
  return JSON.stringify({ name, type, host, port, worker_cnt: workers, active_time: activeTime, ...facts });
}

/** Reads what an original or one of ours wrote under a leaf. Undefined for what makes no member. */
export function readNode(leaf: string, data: Buffer): Member | undefined {
  const record = parse(data);
  if (record === undefined) return undefined;
  const type = text(record['type']);
  const prefix = LEAF.exec(leaf)?.[1] ?? leaf;
  const name = prefix.endsWith(`-${type}`) ? prefix.slice(0, -type.length - 1) : prefix;
  const member = memberOf(record, name, undefined);
  // the original refuses a record without its path
  return isValid(member) && text(record['path']) !== '' ? member : undefined;
}

/** Reads a record of ours. Undefined for what is none. */
export function readFacts(data: Buffer): Member | undefined {
  const record = parse(data);
  const state = record?.['state'];
  if (record === undefined || (state !== 'serving' && state !== 'draining')) return undefined;
  const connections = number(record['connections']);
  const facts: Facts = { state, version: text(record['version']), connections, gate: text(record['gate']) };
  const member = memberOf(record, text(record['name']), facts);
  return isValid(member) ? member : undefined;
}

/**
 * One list of both folders of all types. A node with facts of its own but without an original's record counts only while it drains; of two
 * records of one address the newer counts. `bad` names what could not be read.
 */
export function mergeRecords(
  nodes: readonly (readonly [leaf: string, data: Buffer])[],
  facts: readonly (readonly [leaf: string, data: Buffer])[],
): { members: Member[]; bad: string[] } {
  const bad: string[] = [];
  const ours = new Map<string, Member>();
  for (const [leaf, data] of facts) {
    const member = readFacts(data);
    if (member !== undefined) ours.set(addressOf(member), member);
    else if (data.length > 0) bad.push(leaf);
  }
  const members = new Map<string, Member>();
  for (const [leaf, data] of nodes) {
    // a node is made empty and filled a moment later
    if (data.length === 0) continue;
    const member = readNode(leaf, data);
    if (member === undefined) {
      bad.push(leaf);
      continue;
    }
    const known = members.get(addressOf(member));
    if (known !== undefined && known.activeTime >= member.activeTime) continue;
    members.set(addressOf(member), { ...member, facts: ours.get(addressOf(member))?.facts });
  }
  for (const [address, member] of ours) {
    if (member.facts?.state === 'draining' && !members.has(address)) members.set(address, member);
  }
  return { members: [...members.values()], bad };
}

function memberOf(record: Record<string, unknown>, name: string, facts: Facts | undefined): Member {
  return {
    type: text(record['type']),
    host: text(record['host']),
    port: number(record['port']),
    workers: number(record['worker_cnt']),
    activeTime: number(record['active_time']),
    name,
    source: SOURCE,
    facts,
  };
}

function parse(data: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The originals' reader takes numbers as text too; what is none counts as 0, which makes no valid record. */
function number(value: unknown): number {
  const n = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof n === 'number' && Number.isFinite(n) ? n : 0;
}
