// The resource ledger, after libevkv's memory accounting: what was made, what was released, what is held. At exit everything is zero, or it leaks.

/** One kind of resource as counted; `bytes` are those held now. */
export interface AccountSnapshot {
  held: number;
  made: number;
  released: number;
  bytes: number;
}

/** The account of one kind. On the hot path: two additions, so keep the account itself at hand. */
export class Account {
  made = 0;
  released = 0;
  bytes = 0;

  /** One was made, holding `bytes`. */
  take(bytes = 0): void {
    this.made++;
    this.bytes += bytes;
  }

  /** One was released; `bytes` is what it was taken with, and what it grew by since. */
  give(bytes = 0): void {
    this.released++;
    this.bytes -= bytes;
  }

  /** Something that is held grew by `bytes`, or shrank when negative. */
  grow(bytes: number): void {
    this.bytes += bytes;
  }

  get held(): number {
    return this.made - this.released;
  }
}

/** The accounts of one process. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  readonly connections = this.account('connection');
  readonly messages = this.account('message');
  readonly buffers = this.account('buffer');
  readonly timers = this.account('timer');
  readonly sessions = this.account('session');

  /** The account of a kind, made on first use; ask once and keep it. */
  account(kind: string): Account {
    let account = this.#accounts.get(kind);
    if (account === undefined) this.#accounts.set(kind, (account = new Account()));
    return account;
  }

  /** Nothing is held: what each test of the data path ends with. */
  isZero(): boolean {
    return Object.values(this.snapshot()).every(isSettled);
  }

  snapshot(): Record<string, AccountSnapshot> {
    return Object.fromEntries(
      [...this.#accounts].map(([kind, { held, made, released, bytes }]) => [kind, { held, made, released, bytes }] as const),
    );
  }

  /** The ledger as a table; see `ledgerText`. */
  toText(options?: { atExit?: boolean }): string {
    return ledgerText(this.snapshot(), options);
  }
}

/** A table of accounts. With `atExit` each row that holds something says "possible leak"; one released more often than made always tells. */
export function ledgerText(accounts: Record<string, AccountSnapshot>, { atExit = false } = {}): string {
  const rows = Object.entries(accounts).map(([kind, account]) => [
    kind,
    ...[account.held, account.made, account.released, account.bytes].map(String),
    remark(account, atExit),
  ]);
  const table = [['resource', 'held', 'made', 'released', 'bytes', ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map(([kind, ...cells]) => {
      const numbers = cells.slice(0, 4).map((cell, i) => cell.padStart(widths[i + 1]!));
      return [kind!.padEnd(widths[0]!), ...numbers, cells[4]!].join('  ').trimEnd();
    })
    .join('\n');
}

function isSettled(account: AccountSnapshot): boolean {
  return account.held === 0 && account.bytes === 0;
}

function remark(account: AccountSnapshot, atExit: boolean): string {
  if (account.held < 0 || account.bytes < 0) return 'released twice';
  return atExit && !isSettled(account) ? 'possible leak' : '';
}
