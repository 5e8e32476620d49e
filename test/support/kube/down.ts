// Takes test clusters down, also those whose run was killed at any moment: what is there is looked up, ended and removed until nothing is.

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { lock } from './lock.ts';
import { isAlive, type Owned } from './owner.ts';
import { remainsOf } from './remains.ts';
import { attempt } from './run.ts';
import { ownerOf, SLOTS, slots, type Slot } from './slot.ts';

const LOCK_MS = 60_000;

export interface DownOptions {
  /** Also those that were started to stay. */
  readonly stays: boolean;
}

/** Removes what nobody uses any more, and returns the places that were emptied. Those of runs that go on are left alone. */
export async function downUnused({ stays }: DownOptions): Promise<Slot[]> {
  const isUnused = (owner: Owned | undefined) => (owner === 'stays' ? stays : owner === undefined || !isAlive(owner));
  removeClaims();
  const unused = slots().filter((slot) => isOurs(slot.folder) && isUnused(ownerOf(slot)));
  const emptied = await Promise.all(unused.map((slot) => downIf(slot, isUnused)));
  return unused.filter((_, i) => emptied[i]);
}

/** Takes one down, whoever it belongs to. */
export async function down(slot: Slot): Promise<void> {
  await downIf(slot, () => true);
}

/** Two that clean up do not do it at once, or the second would meet the next one who takes the place. */
async function downIf(slot: Slot, isUnused: (owner: Owned | undefined) => boolean): Promise<boolean> {
  await using _one = await lock(`down-${slot.number}`, { maxMs: LOCK_MS });
  if (!slots().some(({ number }) => number === slot.number) || !isUnused(ownerOf(slot))) return false;
  await endProcesses(slot);
  await unmount(slot);
  await removeNetwork(slot);
  await until(() => removeCgroups(slot), `the control groups of ${slot.prefix} are gone`);
  for (const file of remainsOf(slot).files) rmSync(file, { force: true });
  // emptied under another name: the place is free in one step
  const gone = mkdtempSync(join(SLOTS, 'gone-'));
  renameSync(slot.folder, gone);
  rmSync(gone, { recursive: true, force: true, maxRetries: 10 });
  return true;
}

async function endProcesses(slot: Slot): Promise<void> {
  await until(() => {
    const { processes } = remainsOf(slot);
    for (const pid of processes) kill(pid);
    return processes.length === 0;
  }, `all processes of ${slot.folder} have ended`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}

async function unmount(slot: Slot): Promise<void> {
  await until(async () => {
    const { mounts } = remainsOf(slot);
    // -l: what some process of somebody else looks into goes when that ends
    if (mounts.length > 0) await attempt('umount', ['-l', '--', ...mounts]);
    return remainsOf(slot).mounts.length === 0;
  }, `nothing is mounted below ${slot.folder}`);
}

async function removeNetwork(slot: Slot): Promise<void> {
  await until(async () => {
    const { namespaces, links } = remainsOf(slot);
    for (const name of namespaces) await attempt('ip', ['netns', 'delete', name]);
    for (const name of links) await attempt('ip', ['link', 'delete', name]);
    const left = remainsOf(slot);
    return left.namespaces.length + left.links.length === 0;
  }, `the network of ${slot.prefix} is gone`);
}

function removeCgroups(slot: Slot): boolean {
  for (const folder of remainsOf(slot).cgroups) {
    try {
      rmdirSync(folder);
    } catch {
      // busy for a moment after its last process
    }
  }
  return remainsOf(slot).cgroups.length === 0;
}

/** Of runs that were killed in the moment of claiming or giving back. */
function removeClaims(): void {
  for (const name of listed()) {
    const folder = join(SLOTS, name);
    if (!isOurs(folder)) continue;
    if (name.startsWith('gone-')) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    if (!name.startsWith('claim-')) continue;
    const owner = ownerIn(folder);
    if (owner !== undefined && owner !== 'stays' && !isAlive(owner)) rmSync(folder, { recursive: true, force: true });
  }
}

/** What another user left, only that user or root can end. */
function isOurs(folder: string): boolean {
  const user = process.getuid?.();
  return user === 0 || statSync(folder, { throwIfNoEntry: false })?.uid === user;
}

function ownerIn(folder: string): Owned | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Owned;
  } catch {
    return undefined;
  }
}

function listed(): string[] {
  try {
    return readdirSync(SLOTS);
  } catch {
    return [];
  }
}
