// A terminal as a whole screen: drawn over and over, and given back as it was.

/** What a live picture needs of a terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Takes the screen over. `end` is called for q, Ctrl-C and signals. */
  open(handlers: { end(): void; resized(): void }): void;
  draw(lines: readonly string[]): void;
  /** Gives the screen back; may be called twice. */
  close(): void;
}

const ESC = '\x1b[';
/** Another screen than the one with the user's work on it, without a cursor; and back. */
const ENTER = `${ESC}?1049h${ESC}?25l`;
const LEAVE = `${ESC}?25h${ESC}?1049l`;
const CTRL_C = '\x03';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class TerminalScreen implements Screen {
  readonly #in: NodeJS.ReadStream;
  readonly #out: NodeJS.WriteStream;
  #restore: (() => void) | undefined;

  constructor(input: NodeJS.ReadStream = process.stdin, output: NodeJS.WriteStream = process.stdout) {
    this.#in = input;
    this.#out = output;
  }

  get columns(): number {
    return this.#out.columns || 80;
  }

  get rows(): number {
    return this.#out.rows || 24;
  }

  open({ end, resized }: Parameters<Screen['open']>[0]): void {
    const keys = (bytes: Buffer) => {
      if (/q/i.test(bytes.toString()) || bytes.includes(CTRL_C)) end();
    };
    const close = () => this.close();
    for (const signal of SIGNALS) process.on(signal, end);
    // whatever ends the process, the user gets the terminal back
    process.on('exit', close);
    this.#out.on('resize', resized);
    if (this.#in.isTTY) {
      this.#in.setRawMode(true);
      this.#in.on('data', keys);
      this.#in.resume();
    }
    this.#out.write(ENTER);
    this.#restore = () => {
      for (const signal of SIGNALS) process.off(signal, end);
      process.off('exit', close);
      this.#out.off('resize', resized);
      if (this.#in.isTTY) {
        this.#in.off('data', keys);
        this.#in.setRawMode(false);
        this.#in.pause();
      }
      this.#out.write(LEAVE);
    };
  }

  draw(lines: readonly string[]): void {
    const fitting = lines.slice(0, this.rows).map((line) => clip(line, this.columns));
    // from the upper left corner, each line cleared before it is written: nothing flickers
    this.#out.write(`${ESC}H${fitting.map((line) => `${ESC}K${line}`).join('\n')}${ESC}J`);
  }

  close(): void {
    this.#restore?.();
    this.#restore = undefined;
  }
}

/** What fits of a line, colours not counted: a line that the terminal breaks moves all others. */
export function clip(line: string, columns: number): string {
  let left = columns;
  const fit = (text: string) => {
    const shown = text.slice(0, left);
    left -= shown.length;
    return shown;
  };
  const [plain = '', ...painted] = line.split(ESC);
  const start = fit(plain);
  const pieces = painted.map((piece) => {
    const text = piece.indexOf('m') + 1;
    return `${ESC}${piece.slice(0, text)}${fit(piece.slice(text))}`;
  });
  return start + pieces.join('');
}
