// A YAML text with its value, its faults, and the line of everything in it.

import type { Problem } from './error.ts';
import { valueAt, type Path } from './path.ts';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from './yaml.ts';

export interface YamlText {
  readonly value: unknown;
  /** What makes it no YAML; the value is undefined then. */
  readonly problems: Problem[];
  readonly notes: string[];
  at(path: Path): unknown;
  /** Line, from 1, of the key or element; of the nearest that encloses it where it is missing. */
  lineOf(path: Path): number | undefined;
}

/** Reads one YAML document; nothing is thrown. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => lines.linePos(offset);
  const problems = document.errors.map(({ code, message, pos }): Problem => {
    const { line, col } = place(pos[0]);
    const reason = code === 'MULTIPLE_DOCS' ? 'this file holds more than one document; one KimCluster is one file' : lowerFirst(message);
    return { path: '', message: `not usable YAML at line ${line}, column ${col}: ${reason}`, line };
  });
  let value: unknown;
  try {
    if (problems.length === 0) value = document.toJS();
  } catch (error) {
    // Aliases that would unfold to more than memory holds.
    problems.push({ path: '', message: `not usable YAML: ${lowerFirst((error as Error).message)}` });
  }
  return {
    value,
    problems,
    notes: document.warnings.map(({ message, pos }) => `line ${place(pos[0]).line}: ${lowerFirst(message)}`),
    at: (path) => valueAt(value, path),
    lineOf(path) {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : place(offset).line;
    },
  };
}

function offsetOf(document: Document, path: Path): number | undefined {
  let node = document.contents as Node | null | undefined;
  let offset = node?.range?.[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!isScalar(pair?.key)) return offset;
      [offset, next] = [pair.key.range?.[0] ?? offset, pair.value];
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
      offset = (next as Node | undefined)?.range?.[0] ?? offset;
    }
    node = next as Node | null | undefined;
  }
  return offset;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
}
