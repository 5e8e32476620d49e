// Logins: a client becomes a user, who has one session in the cluster. The worker that has the client asks all others that serve clients;
// of two logins at once the later one stays, everywhere, whichever messages arrive first.
//
//   login here --CLAIM--> every other worker --+-- has nobody --------------------> free
//                                              +-- has an older login: ends it ---> replaced
//                                              +-- has a later one ---------------> later: the login here ends
//                                              +-- has one, and may not replace --> taken: the login here ends

import { Fault, faults } from '../errors.ts';
import type { Client } from '../session/client.ts';
import type { BindResult } from '../session/results.ts';
import type { Login, LoginPolicy, Users } from '../session/users.ts';
import { claim, claimReply, control, readAnswer, results } from './control.ts';
import type { Farewell, GateClients } from './delivery.ts';
import type { Locator } from './locator.ts';
import type { Peer } from './peer.ts';

/** What a client is told whose user has logged in elsewhere. */
export const REPLACED: Farewell = { code: faults.invalidConnection.code, reason: 'this user has logged in on another connection' };

/** The year 2248, in milliseconds since 1970. Of later times the steps between two logins would be lost, and nobody could log in after them. */
const MAX_TIME = 2 ** 43;

const isTime = (time: number): boolean => time >= 0 && time <= MAX_TIME;

export interface BinderOptions {
  users: Users<Client>;
  clients: GateClients;
  locator: Locator;
  settings: BinderSettings;
  /** The workers that serve clients, this one aside. */
  gates(): readonly Peer[];
  /** Milliseconds since 1970. */
  wallNow(): number;
}

export interface BinderSettings {
  readonly policy: LoginPolicy;
  /** How long other workers may take to answer, in milliseconds; those that do not are taken to have nobody. */
  readonly claimMs: number;
}

interface Verdict {
  /** Somebody else has the user, and keeps it. */
  isLost: boolean;
  replaced: boolean;
  /** Latest time of the logins that are kept. */
  time: number;
}

export class Binder {
  settings: BinderSettings;
  /** Sessions that were ended here since their user logged in again. */
  replaced = 0;
  /** What became of logins: counted where the client is, and `unknown` where it was asked for. */
  readonly counts: Record<BindResult, number> = { bound: 0, replaced: 0, refused: 0, absent: 0, unknown: 0 };
  readonly #options: BinderOptions;

  constructor(options: BinderOptions) {
    this.#options = options;
    this.settings = options.settings;
  }

  async bind(client: Client, user: string): Promise<BindResult> {
    const result = await this.#bind(client, user);
    this.counts[result]++;
    return result;
  }

  async #bind(client: Client, user: string): Promise<BindResult> {
    const { users, clients, wallNow } = this.#options;
    const { policy } = this.settings;
    const begun = users.begin(client, user, policy, wallNow());
    if (begun.state !== 'begun') return begun.state === 'same' ? 'bound' : 'refused';
    const { login } = begun;
    if (begun.replaced !== undefined) this.#end(begun.replaced);
    let verdict = await this.#ask(login, policy);
    // a clock that is ahead of ours has said "later", though we came after it
    if (verdict.isLost && policy === 'replace' && verdict.time > wallNow() && users.loginOf(user) === login) {
      users.seen(verdict.time);
      users.renew(login, wallNow());
      verdict = await this.#ask(login, policy);
    }
    if (clients.bySession(client.id) !== client) {
      users.drop(login);
      return 'absent';
    }
    if (verdict.isLost && users.loginOf(user) === login) {
      users.drop(login);
      if (policy === 'replace') this.#end(client);
    }
    if (!users.complete(login)) return 'refused';
    return begun.replaced !== undefined || verdict.replaced ? 'replaced' : 'bound';
  }

  #ask({ user, client, time }: Login<Client>, policy: LoginPolicy): Promise<Verdict> {
    const verdict: Verdict = { isLost: false, replaced: false, time: 0 };
    const gates = this.#options.gates();
    if (gates.length === 0) return Promise.resolve(verdict);
    const message = claim.encode({ user, session: client.id, time, refuse: policy === 'refuse' });
    return new Promise((resolve) => {
      let left = gates.length;
      for (const gate of gates) {
        gate.ask(
          control.claim,
          message,
          (fault, data) => {
            const reply = readAnswer(fault, data, claimReply.decode);
            if (reply?.result === results.replaced) verdict.replaced = true;
            const isLost = reply?.result === results.later || reply?.result === results.refused;
            if (isLost && isTime(reply.time)) {
              verdict.isLost = true;
              verdict.time = Math.max(verdict.time, reply.time);
            }
            if (--left === 0) resolve(verdict);
          },
          this.settings.claimMs,
        );
      }
    });
  }

  /** A worker says that a user is there from now on: the data of its ClaimReply. Throws Fault invalidMessage. */
  claimed(peer: Peer, message: Buffer): Buffer {
    const { user, session, time, refuse } = claim.decode(message);
    if (!isTime(time)) throw new Fault('invalidMessage', `Claim has the time ${time}, which no clock tells`);
    const claimed = this.#options.users.claim({ user, session, time }, refuse ? 'refuse' : 'replace');
    if (claimed.state === 'later') return claimReply.encode({ result: results.later, time: claimed.time });
    if (claimed.state === 'taken') return claimReply.encode({ result: results.refused, time: claimed.time });
    this.#options.locator.note(user, peer.id);
    if (claimed.state === 'free') return claimReply.encode({ result: results.done });
    this.#end(claimed.client);
    return claimReply.encode({ result: results.replaced });
  }

  /** The client was that user at another worker, and is here now. False if the user has logged in here since; then its session is ended. */
  restore(client: Client, user: string, told: number): boolean {
    const { users, gates } = this.#options;
    const time = isTime(told) ? told : 0;
    const known = users.loginOf(user);
    if (!users.restore(client, user, time)) {
      this.#end(client);
      return false;
    }
    if (known !== undefined && known.client !== client) this.#end(known.client);
    // the worker that it comes from forgets it, and the others learn where it is; one with a later login ends it here
    const message = claim.encode({ user, session: client.id, time });
    for (const gate of gates()) {
      gate.ask(control.claim, message, (fault, data) => {
        if (readAnswer(fault, data, claimReply.decode)?.result !== results.later) return;
        const login = users.loginOf(user);
        if (login?.client !== client || login.time !== time) return;
        users.drop(login);
        this.#end(client);
      });
    }
    return true;
  }

  #end(client: Client): void {
    this.replaced++;
    this.#options.clients.end(client, REPLACED);
  }
}
