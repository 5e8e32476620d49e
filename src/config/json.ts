// Reads JSON and knows on which line everything stands. JSON.parse gives the values; this scanner gives the places, and a sentence
// without quoting the text (which may hold passwords) where JSON.parse would only say that a token is unexpected.

export interface JsonText {
  readonly value: unknown;
  /** Line, from 1, of the key or element at a path such as `redis.test.port` or `modules[0]`. */
  lineOf(path: string): number | undefined;
}

/** What is wrong with a text that is not JSON, and where, from 1. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly line: number;
  readonly column: number;

  constructor(text: string, offset: number, reason: string) {
    const before = text.slice(0, offset).split('\n');
    const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
    super(`not JSON at line ${line}, column ${column}: ${reason}`);
    this.line = line;
    this.column = column;
  }
}

/** Throws a JsonSyntaxError. A byte order mark at the start is ignored. */
export function parseJson(text: string): JsonText {
  // A space of the same length keeps columns right.
  const plain = text.replace(/^\uFEFF/, ' ');
  const places = new Scanner(plain).scan();
  return {
    value: JSON.parse(plain) as unknown,
    lineOf(path) {
      const offset = places.get(path);
      return offset === undefined ? undefined : plain.slice(0, offset).split('\n').length;
    },
  };
}

const MAX_DEPTH = 100;
const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|\x7f|[\x80-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const LITERAL = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

class Scanner {
  readonly #text: string;
  #at = 0;
  readonly #places = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  scan(): ReadonlyMap<string, number> {
    this.#value('', 0);
    if (this.#peek() !== '') this.#fail('nothing may follow the closing bracket');
    return this.#places;
  }

  #value(path: string, depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} brackets inside each other`);
    const first = this.#peek();
    if (first === '{') this.#list('}', () => this.#member(path, depth));
    else if (first === '[') {
      let index = 0;
      this.#list(']', () => {
        this.#peek();
        this.#places.set(`${path}[${index}]`, this.#at);
        this.#value(`${path}[${index++}]`, depth + 1);
      });
    } else if (first === '"') {
      if (!this.#take(STRING)) this.#fail('the text that begins here has no end, or a character that must be escaped', false);
    } else if (!this.#take(LITERAL)) this.#fail('expected a value');
  }

  #member(path: string, depth: number): void {
    this.#peek();
    const start = this.#at;
    const key = this.#take(STRING);
    if (!key) this.#fail('expected a key in double quotes');
    const inner = path === '' ? String(JSON.parse(key)) : `${path}.${String(JSON.parse(key))}`;
    this.#places.set(inner, start);
    if (this.#peek() !== ':') this.#fail('expected ":" after the key');
    this.#at++;
    this.#value(inner, depth + 1);
  }

  #list(end: string, item: () => void): void {
    this.#at++;
    if (this.#peek() !== end) {
      item();
      while (this.#peek() === ',') {
        const comma = this.#at++;
        if (this.#peek() === end) {
          this.#at = comma;
          this.#fail(`no comma may stand before "${end}"`, false);
        }
        item();
      }
    }
    if (this.#peek() !== end) this.#fail(`expected a comma or "${end}"`);
    this.#at++;
  }

  /** The next character that is not space, or '' at the end. */
  #peek(): string {
    this.#take(SPACE);
    return this.#text[this.#at] ?? '';
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fail(reason: string, showFound = true): never {
    const found = this.#text[this.#at];
    const hint =
      found === undefined
        ? ', but the text ends here'
        : !showFound
          ? ''
          : found === '/' || found === '#'
            ? '; JSON has no comments'
            : found === "'"
              ? '; JSON has only double quotes'
              : `, found ${JSON.stringify(found)}`;
    throw new JsonSyntaxError(this.#text, this.#at, reason + hint);
  }
}
