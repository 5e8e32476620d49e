// Which user is which client of this worker. A user has one session in the whole cluster: of two logins the later counts, or the first
// one stays, whatever the policy says; cluster/binding.ts asks the other workers.

/** What becomes of a user who logs in a second time: the new session takes the place of the old one, or is refused. */
export type LoginPolicy = 'replace' | 'refuse';

/** What is needed of a client here. */
export interface UserClient {
  readonly id: string;
  userId: string;
  /** What other nodes are told about it, encoded with its user id. */
  origin?: Buffer | undefined;
}

export interface Login<C> {
  readonly user: string;
  readonly client: C;
  /** Milliseconds since 1970, and later than every login of the same user that is known here. */
  time: number;
  /** The other workers are still being asked: it takes no pushes yet. */
  isPending: boolean;
}

/** What a login began with. `replaced` has to be told and closed. */
export type Begun<C> =
  { readonly state: 'same' | 'refused' } | { readonly state: 'begun'; readonly login: Login<C>; readonly replaced: C | undefined };

/** What another worker is told that has a login for the same user; in all cases but `later` and `taken` the user is gone from here. */
export type Claimed<C> =
  | { readonly state: 'free' }
  | { readonly state: 'replaced'; readonly client: C }
  | { readonly state: 'later'; readonly time: number }
  | { readonly state: 'taken'; readonly time: number };

/** Between two logins of one user in the same millisecond. */
const STEP_MS = 0.001;

export class Users<C extends UserClient> {
  readonly #logins = new Map<string, Login<C>>();
  /** The latest time seen in any login: clocks of other nodes may be ahead. */
  #latest = 0;

  get size(): number {
    return this.#logins.size;
  }

  /** The client of a user; undefined while its login is not complete. */
  clientOf(user: string): C | undefined {
    const login = this.#logins.get(user);
    return login === undefined || login.isPending ? undefined : login.client;
  }

  loginOf(user: string): Login<C> | undefined {
    return this.#logins.get(user);
  }

  /**
   * Logs a client in. With `replace` it is that user from now on, unless another worker says that it has a later one; with `refuse` only after
   * complete(). The user that it was before is gone then.
   */
  begin(client: C, user: string, policy: LoginPolicy, now: number): Begun<C> {
    const known = this.#logins.get(user);
    if (known?.client === client) return { state: known.isPending ? 'refused' : 'same' };
    if (known !== undefined && policy === 'refuse') return { state: 'refused' };
    const login: Login<C> = { user, client, time: this.#timeFor(now), isPending: policy === 'refuse' };
    if (known !== undefined) this.drop(known);
    this.#logins.set(user, login);
    if (!login.isPending) this.#take(login);
    return { state: 'begun', login, replaced: known?.client };
  }

  /** Nobody else has the user. False if the login was overtaken by a later one meanwhile. */
  complete(login: Login<C>): boolean {
    if (this.#logins.get(login.user) !== login) return false;
    if (login.isPending) {
      login.isPending = false;
      this.#take(login);
    }
    return true;
  }

  /** Gives a login a later time than all that are known. */
  renew(login: Login<C>, now: number): void {
    login.time = this.#timeFor(now);
  }

  /** Ends a login if it still counts. */
  drop(login: Login<C>): void {
    if (this.#logins.get(login.user) !== login) return;
    this.#logins.delete(login.user);
    if (!login.isPending) name(login.client, '');
  }

  /** Another worker has a login for that user. */
  claim({ user, session, time }: { user: string; session: string; time: number }, policy: LoginPolicy): Claimed<C> {
    this.seen(time);
    const known = this.#logins.get(user);
    if (known === undefined) return { state: 'free' };
    // the same session at another worker: its client has moved there
    if (known.client.id !== session) {
      if (policy === 'refuse' && !known.isPending) return { state: 'taken', time: known.time };
      if (isLater(known, { session, time })) return { state: policy === 'refuse' ? 'taken' : 'later', time: known.time };
    }
    this.drop(known);
    return known.isPending || known.client.id === session ? { state: 'free' } : { state: 'replaced', client: known.client };
  }

  /** Takes a client over that was that user at another worker. False if somebody has logged in as that user here since. */
  restore(client: C, user: string, time: number): boolean {
    this.seen(time);
    const known = this.#logins.get(user);
    if (known !== undefined && known.client.id !== client.id && isLater(known, { session: client.id, time })) return false;
    if (known !== undefined) this.drop(known);
    const login = { user, client, time, isPending: false };
    this.#logins.set(user, login);
    this.#take(login);
    return true;
  }

  /** The client is no user any more. Returns which it was. */
  forget(client: C): string {
    const { userId } = client;
    const login = this.#logins.get(userId);
    if (login?.client === client) this.drop(login);
    return userId;
  }

  /** A time that another worker gave to a login. */
  seen(time: number): void {
    if (time > this.#latest) this.#latest = time;
  }

  #timeFor(now: number): number {
    return (this.#latest = now > this.#latest ? now : this.#latest + STEP_MS);
  }

  #take(login: Login<C>): void {
    const { client, user } = login;
    const before = this.#logins.get(client.userId);
    if (before?.client === client && before !== login) this.#logins.delete(before.user);
    name(client, user);
  }
}

function name(client: UserClient, user: string): void {
  client.userId = user;
  client.origin = undefined;
}

function isLater(login: Login<UserClient>, than: { session: string; time: number }): boolean {
  return login.time === than.time ? login.client.id > than.session : login.time > than.time;
}
