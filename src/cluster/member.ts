// A node as the others see it, and how the lists of several directories become one.

/** What a node of ours tells beside what the original's record holds. A C++ node tells none of it: then `facts` is undefined. */
export interface Facts {
  /** A draining node keeps the sessions that it has and gets no new ones. */
  readonly state: 'serving' | 'draining';
  readonly version: string;
  /** Clients that it serves; told now and then, so only good for comparing. */
  readonly connections: number;
  /** Where clients reach it, for those that are asked to move there; empty where it serves none. */
  readonly gate: string;
}

export interface Member {
  /** Node type: gate, logic, or any name. */
  readonly type: string;
  /** Where other nodes connect. */
  readonly host: string;
  readonly port: number;
  /** Its workers are numbered from 1 to this. */
  readonly workers: number;
  /** When it announced itself, in seconds since 1970. Of two records of one address the newer wins. */
  readonly activeTime: number;
  /** Its server_name. */
  readonly name: string;
  /** The directory that it was read from. */
  readonly source: string;
  readonly facts: Facts | undefined;
}

export const addressOf = ({ host, port }: Pick<Member, 'host' | 'port'>): string => `${host}:${port}`;

/** The name of one worker in the ring and in the pool of links, numbered from 1. */
export const nodeIdOf = (member: Pick<Member, 'host' | 'port'>, worker: number): string => `${addressOf(member)}.${worker}`;

/** More than a machine has use for: a record must not make every other node work for millions of workers that are not there. */
const MAX_WORKERS = 1024;
const MAX_TEXT = 256;

const isWhole = (n: number, most: number): boolean => Number.isInteger(n) && n > 0 && n <= most;
/** What stands in names of workers and in lists that are separated by line breaks. */
const isText = (text: string, not: RegExp): boolean => text !== '' && text.length <= MAX_TEXT && !not.test(text);

/** A record without these says nothing that can be used; the original drops it too. */
export function isValid({ type, host, port, workers, activeTime }: Member): boolean {
  const isTime = activeTime > 0 && activeTime < Infinity;
  return isText(type, /\p{Cc}/u) && isText(host, /\s/) && isWhole(port, 65_535) && isWhole(workers, MAX_WORKERS) && isTime;
}

/** One record for each address: the newest of all lists. Invalid ones are left out. Ordered by type and address, whatever the order of the lists. */
export function mergeMembers(lists: readonly (readonly Member[])[]): Member[] {
  const newest = new Map<string, Member>();
  for (const member of lists.flat()) {
    if (!isValid(member)) continue;
    const known = newest.get(addressOf(member));
    if (known === undefined || isNewer(member, known)) newest.set(addressOf(member), member);
  }
  return [...newest.values()].sort((a, b) => compare(a.type, b.type) || compare(addressOf(a), addressOf(b)));
}

/** Of records that are equally old the one with facts is better: it is the same node seen through a directory that holds them. */
function isNewer(member: Member, known: Member): boolean {
  if (member.activeTime !== known.activeTime) return member.activeTime > known.activeTime;
  return known.facts === undefined && member.facts !== undefined;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
