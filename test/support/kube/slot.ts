// A place for one test cluster on this machine. All its names and addresses follow from the place's number, so that whoever finds it
// later can remove everything without having been told what was made.
//
//   /tmp/kimserver-kube/3/     folder of place 3; owner.json is in it from its first moment
//   127.77.3.1                 a control plane alone        (etcd 2379, API server 6443)
//   10.200.3.1                 one with nodes: bridge kimk3; nodes 10.200.3.11 and .12, namespaces kimk3n1 and kimk3n2
//   10.201.12.0/22             addresses of pods: 10.201.13.0/24 on node 1, 10.201.14.0/24 on node 2

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { thisProcess, type Owned } from './owner.ts';

/** Where all places are. A short path: addresses of sockets have 107 bytes at most. */
export const SLOTS = '/tmp/kimserver-kube';
/** Of clusters on one machine at once; the addresses would be enough for 64. */
const MAX_SLOTS = 48;
/** One for each user: nobody may write into what another left in a folder of all. */
const LAST = join(SLOTS, `last-${process.getuid?.() ?? 0}`);
/** Every process of a place has this in its environment, with the place's folder. */
export const MARK = 'KIMSERVER_KUBE_SLOT';

export interface Slot {
  readonly number: number;
  readonly folder: string;
  /** For names of links, namespaces and control groups. */
  readonly prefix: string;
}

export interface NodeNames {
  /** Of the node, its network namespace, its control group and the host's end of its link. */
  readonly name: string;
  readonly address: string;
  /** Addresses of its pods, as a range. */
  readonly pods: string;
  readonly folder: string;
}

export const slotOf = (number: number): Slot => ({ number, folder: join(SLOTS, String(number)), prefix: `kimk${number}` });

export const loopbackOf = ({ number }: Slot): string => `127.77.${number}.1`;

export const bridgeOf = ({ number, prefix }: Slot) => ({
  name: prefix,
  address: `10.200.${number}.1`,
  pods: `10.201.${number * 4}.0/22`,
});

/** Nodes count from 1 to 3. */
export function nodeOf(slot: Slot, node: number): NodeNames {
  const name = `${slot.prefix}n${node}`;
  return {
    name,
    address: `10.200.${slot.number}.${10 + node}`,
    pods: `10.201.${slot.number * 4 + node}.0/24`,
    folder: join(slot.folder, `n${node}`),
  };
}

/** Takes the next free place after the one that was taken last: one that was just given back rests. The claim is one step: a folder with its owner in it gets the place's name, or another has it. */
export function claimSlot(): Slot {
  mkdirSync(SLOTS, { recursive: true });
  // several users of one machine, as in /tmp itself; only whoever made it may say so
  if (statSync(SLOTS).uid === process.getuid?.()) chmodSync(SLOTS, 0o1777);
  const claim = mkdtempSync(join(SLOTS, 'claim-'));
  // containers look into it as other users
  chmodSync(claim, 0o755);
  writeFileSync(join(claim, 'owner.json'), JSON.stringify(thisProcess()));
  const first = lastTaken() + 1;
  for (let number = first; number < first + MAX_SLOTS; number++) {
    const slot = slotOf(number % MAX_SLOTS);
    if (isTaken(slot)) continue;
    try {
      renameSync(claim, slot.folder);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      continue;
    }
    // not more than a hint: two that write it at once both have their places
    writeFileSync(LAST, String(slot.number));
    return slot;
  }
  rmSync(claim, { recursive: true });
  throw new Error(`all ${MAX_SLOTS} places for test clusters in ${SLOTS} are taken; npm run kube -- down removes those that nobody uses`);
}

/** It goes on when this process ends, until somebody takes it down. */
export function letStay(slot: Slot): void {
  const file = join(slot.folder, 'owner.json');
  const stays: Owned = 'stays';
  writeFileSync(`${file}.new`, JSON.stringify(stays));
  renameSync(`${file}.new`, file);
}

/** All places with somebody or something in them. */
export function slots(): Slot[] {
  return numbersIn(SLOTS).map(slotOf);
}

/** Undefined for a place that is empty by now. */
export function ownerOf(slot: Slot): Owned | undefined {
  try {
    return JSON.parse(readFileSync(join(slot.folder, 'owner.json'), 'utf8')) as Owned;
  } catch {
    return undefined;
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

function lastTaken(): number {
  try {
    return Number(readFileSync(LAST, 'utf8')) || 0;
  } catch {
    return -1;
  }
}

/** Somebody else's networks may have these addresses. */
function isTaken({ number }: Slot): boolean {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return own.some(({ address }) => address.startsWith(`10.200.${number}.`) || address.startsWith('10.201.'));
}
