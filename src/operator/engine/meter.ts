// Counters, gauges and histograms in plain numbers, and the page that Prometheus reads.

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): string[];
}

/** Label sets of one metric, at most: what is beyond them is not counted, since names of objects must never be labels. */
const MAX_SERIES = 2000;

export class Meter {
  readonly #families: Family[] = [];

  counter(name: string, help: string): Counter {
    return this.#add(new Counter(name, help, 'counter'));
  }

  /** One that is set. */
  gauge(name: string, help: string): Counter {
    return this.#add(new Counter(name, help, 'gauge'));
  }

  /** One that is looked up when the page is made. No two samples may have the same labels. */
  look(name: string, help: string, samples: () => readonly (readonly [Labels, number])[], type: 'counter' | 'gauge' = 'gauge'): void {
    this.#add({ name, help, type, lines: () => samples().map(([labels, value]) => line(name, labels, value)) });
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    return this.#add(new Histogram(name, help, bounds));
  }

  /** The page, in Prometheus' text format. */
  text(): string {
    return this.#families
      .map((family) => `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n${family.lines().join('')}`)
      .join('');
  }

  #add<T extends Family>(family: T): T {
    this.#families.push(family);
    return family;
  }
}

export class Counter implements Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(name: string, help: string, type: 'counter' | 'gauge') {
    this.name = name;
    this.help = help;
    this.type = type;
  }

  /** With 0 it is on the page before anything happened: a rate needs a first value. */
  add(labels: Labels, n = 1): void {
    const entry = this.#entry(labels);
    if (entry) entry.value += n;
  }

  set(labels: Labels, value: number): void {
    const entry = this.#entry(labels);
    if (entry) entry.value = value;
  }

  value(labels: Labels): number {
    return this.#values.get(JSON.stringify(labels))?.value ?? 0;
  }

  lines(): string[] {
    return [...this.#values.values()].map(({ labels, value }) => line(this.name, labels, value));
  }

  #entry(labels: Labels): { value: number } | undefined {
    const id = JSON.stringify(labels);
    const entry = this.#values.get(id) ?? { labels, value: 0 };
    if (!this.#values.has(id) && this.#values.size >= MAX_SERIES) return undefined;
    this.#values.set(id, entry);
    return entry;
  }
}

export class Histogram implements Family {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { readonly labels: Labels; readonly counts: number[]; sum: number; count: number }>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    const id = JSON.stringify(labels);
    const series = this.#series.get(id) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    if (!this.#series.has(id) && this.#series.size >= MAX_SERIES) return;
    this.#series.set(id, series);
    series.count++;
    series.sum += value;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) series.counts[at]!++;
  }

  lines(): string[] {
    return [...this.#series.values()].flatMap(({ labels, counts, sum, count }) => {
      let below = 0;
      const buckets = this.#bounds.map((bound, at) =>
        line(`${this.name}_bucket`, { ...labels, le: String(bound) }, (below += counts[at]!)),
      );
      return [
        ...buckets,
        line(`${this.name}_bucket`, { ...labels, le: '+Inf' }, count),
        line(`${this.name}_sum`, labels, sum),
        line(`${this.name}_count`, labels, count),
      ];
    });
  }
}

function line(name: string, labels: Labels, value: number): string {
  const given = Object.entries(labels).map(([key, text]) => `${key}="${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`);
  return `${name}${given.length > 0 ? `{${given.join(',')}}` : ''} ${value}\n`;
}
