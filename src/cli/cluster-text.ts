// A cluster in words and tables: what "kim cluster" shows. Pure.

import { addressOf, type Member } from '../cluster/member.ts';
import { memberPoints, Ring } from '../cluster/ring.ts';
import type { ClusterLook } from './cluster-source.ts';
import { age, bytes, printable, table, whole, type Column, type Paint } from './terminal.ts';

/** What a node reports of its last second, as far as it is shown; see src/cluster/payload.ts. */
interface Report {
  readonly manager?: Readonly<Record<'conn_cnt' | 'read_cnt' | 'read_bytes' | 'write_cnt' | 'write_bytes', unknown>>;
}

const columns: readonly Column[] = [
  { title: 'TYPE' },
  { title: 'ADDRESS' },
  { title: 'NAME' },
  { title: 'WORKERS', right: true },
  { title: 'STATE' },
  { title: 'VERSION' },
  { title: 'ACTIVE', right: true },
  { title: 'SHARE', right: true },
  { title: 'CONNECTIONS', right: true },
  { title: 'READ/S', right: true },
  { title: 'WRITTEN/S', right: true },
  { title: 'SOURCE' },
];

/** `problem` is why there is nothing newer. */
export function clusterLines(look: ClusterLook, paint: Paint, problem?: string): string[] {
  const { members, bad, from } = look;
  const shares = sharesOf(members);
  const rows = members.toSorted(byTypeAndAddress).map((member) => row(member, shares, look));
  const workers = members.reduce((sum, member) => sum + member.workers, 0);
  return [
    `${paint('bold', printable(from))}  ${counted(members.length, 'node')}, ${counted(workers, 'worker')}`,
    ...(problem === undefined ? [] : [paint('red', problem)]),
    '',
    ...(rows.length === 0 ? ['no node is announced'] : table(columns, rows, paint)),
    ...(bad.length === 0 ? [] : ['', `${counted(bad.length, 'record')} of no use: ${printable(bad.join(', '))}`]),
  ];
}

/** The same for programs. */
export function clusterJson({ at, from, members, payloads, bad }: ClusterLook): object {
  const shares = sharesOf(members);
  return {
    time: new Date(at).toISOString(),
    from,
    members: members.toSorted(byTypeAndAddress).map((member) => ({
      ...member,
      share: shares.get(addressOf(member)) ?? 0,
      payload: parse(payloads.get(addressOf(member))) ?? null,
    })),
    unreadable: bad,
  };
}

/** The part of all keys of its type that each node has, from 0 to 1, by address; who drains has none. */
export function sharesOf(members: readonly Member[]): Map<string, number> {
  const serving = members.filter(({ facts }) => facts?.state !== 'draining');
  const shares = new Map<string, number>();
  for (const type of new Set(serving.map((member) => member.type))) {
    const ring = Ring.of(serving.filter((member) => member.type === type).map((member) => memberPoints(addressOf(member), member.workers)));
    for (const [id, share] of ring.shares()) {
      const address = id.slice(0, id.lastIndexOf('.'));
      shares.set(address, (shares.get(address) ?? 0) + share);
    }
  }
  return shares;
}

function row(member: Member, shares: ReadonlyMap<string, number>, { at, payloads }: ClusterLook): string[] {
  const { facts } = member;
  const address = addressOf(member);
  const { manager: report }: Report = parse(payloads.get(address)) ?? {};
  const share = shares.get(address);
  const amount = (value: unknown, show: (n: number) => string) => (typeof value === 'number' ? show(value) : '-');
  return [
    printable(member.type),
    printable(address),
    printable(member.name),
    whole(member.workers),
    facts?.state ?? 'serving',
    // an original tells none
    facts === undefined ? '-' : printable(facts.version),
    age(at / 1000 - member.activeTime),
    share === undefined ? '-' : `${(share * 100).toFixed(1)} %`,
    amount(report?.conn_cnt ?? facts?.connections, whole),
    amount(report?.read_bytes, bytes),
    amount(report?.write_bytes, bytes),
    member.source,
  ];
}

function parse(text: string | undefined): object | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const counted = (n: number, what: string): string => `${whole(n)} ${what}${n === 1 ? '' : 's'}`;

function byTypeAndAddress(a: Member, b: Member): number {
  return a.type === b.type ? (addressOf(a) < addressOf(b) ? -1 : 1) : a.type < b.type ? -1 : 1;
}
