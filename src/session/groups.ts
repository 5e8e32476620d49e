// Groups of clients of this worker, by name: a chat room, a match, a topic. Joining, leaving and being forgotten cost the same however large
// a group is. Groups are as long as they have members.

export interface GroupLimits {
  /** Groups that one client may be in. */
  readonly perClient: number;
  /** Members of one group in this worker. */
  readonly members: number;
  /** Groups of this worker. */
  readonly groups: number;
}

const NOBODY: ReadonlySet<never> = new Set();

export class Groups<C extends object> {
  limits: GroupLimits;
  readonly #members = new Map<string, Set<C>>();
  readonly #groups = new Map<C, Set<string>>();

  constructor(limits: GroupLimits) {
    this.limits = limits;
  }

  /** Groups that have members. */
  get size(): number {
    return this.#members.size;
  }

  /** Clients that are in groups. */
  get clients(): number {
    return this.#groups.size;
  }

  /** False if a limit is reached; true also for who is a member already. */
  join(client: C, group: string): boolean {
    const members = this.#members.get(group);
    if (members?.has(client)) return true;
    const groups = this.#groups.get(client);
    const { limits } = this;
    if ((groups?.size ?? 0) >= limits.perClient || (members?.size ?? 0) >= limits.members) return false;
    if (members === undefined && this.#members.size >= limits.groups) return false;
    if (members === undefined) this.#members.set(group, new Set([client]));
    else members.add(client);
    if (groups === undefined) this.#groups.set(client, new Set([group]));
    else groups.add(group);
    return true;
  }

  /** False if it was no member. */
  leave(client: C, group: string): boolean {
    const groups = this.#groups.get(client);
    if (groups === undefined || !groups.delete(group)) return false;
    if (groups.size === 0) this.#groups.delete(client);
    this.#remove(client, group);
    return true;
  }

  /** The client leaves all its groups. */
  forget(client: C): void {
    const groups = this.#groups.get(client);
    if (groups === undefined) return;
    this.#groups.delete(client);
    for (const group of groups) this.#remove(client, group);
  }

  /** Members may leave and join while this is iterated: who has left before its turn does not come, who joins may. */
  members(group: string): ReadonlySet<C> {
    return this.#members.get(group) ?? NOBODY;
  }

  groupsOf(client: C): string[] {
    return [...(this.#groups.get(client) ?? [])];
  }

  #remove(client: C, group: string): void {
    const members = this.#members.get(group)!;
    members.delete(client);
    if (members.size === 0) this.#members.delete(group);
  }
}
