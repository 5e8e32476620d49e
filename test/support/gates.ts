// Handlers that answer when a test says so.

/** Requests that have begun and wait, by the text of their data. */
export class Gates {
  /** The data of every request, in the order in which handlers began. */
  readonly begun: string[] = [];
  readonly #open = new Map<string, PromiseWithResolvers<string>>();

  /** An asynchronous handler: answers its own data once `open` is called with it. */
  readonly handler = (data: Buffer): Promise<string> => {
    const text = data.toString();
    const gate = Promise.withResolvers<string>();
    this.begun.push(text);
    this.#open.set(text, gate);
    return gate.promise;
  };

  get waiting(): string[] {
    return [...this.#open.keys()];
  }

  open(text: string): void {
    this.#take(text).resolve(text);
  }

  fail(text: string, error: unknown): void {
    this.#take(text).reject(error);
  }

  #take(text: string): PromiseWithResolvers<string> {
    const gate = this.#open.get(text);
    if (gate === undefined) throw new Error(`no request "${text}" is waiting; there is: ${this.waiting.join(', ')}`);
    this.#open.delete(text);
    return gate;
  }
}
