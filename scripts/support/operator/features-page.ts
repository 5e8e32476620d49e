// The table of docs/operator.md: a part of a page that people write.

import { markdownTable } from '../../../src/config/markdown.ts';
import { chances, features, type Feature } from './features.ts';

const signs = { yes: '●', part: '◐', no: '○' } as const;

/** The section, without its heading. */
export function renderFeatures(): string {
  return [
    '● yes, ◐ in part, ○ no. Names of tests are exact: `npm test -- FILE` runs those of a file.',
    table(features, ''),
    'Rare elsewhere:',
    table(chances, 'R'),
  ].join('\n\n');
}

function table(rows: readonly Feature[], letter: string): string {
  return markdownTable(
    ['', 'feature', '', 'how', 'test'],
    rows.map(({ what, here, how, proofs }, index) => [`${letter}${index + 1}`, what, signs[here], how, testsOf(proofs)]),
  );
}

function testsOf(proofs: Feature['proofs']): string {
  return proofs.map(([file, name]) => `\`${file.replace(/^test\//, '')}\`: ${name}`).join('<br>');
}
