// docs/faults.md: what a peer can be told by number, why connections end, and with which codes processes end.

import { markdownTable } from '../../src/config/markdown.ts';
import { faults } from '../../src/errors.ts';
import { exitCodes, exitMeanings } from '../../src/node/exit-codes.ts';
import { closeReasons } from '../../src/ops/reasons.ts';

interface Group {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

const GROUPS: readonly Group[] = [
  { title: 'Requests, connections and nodes', from: 0, to: 100 },
  { title: 'First version of the original only', from: 101, to: 999 },
  { title: 'Redis', from: 11_000, to: 11_999 },
  { title: 'MySQL', from: 12_000, to: 12_999 },
];

/** The page, without its first line. Throws for a fault whose code is in no group. */
export function renderFaults(): string {
  const rows = Object.entries(faults).map(([name, row]) => ({ name, ...row }));
  const stray = rows.find(({ code }) => groupOf(code) === undefined);
  if (stray !== undefined) throw new Error(`fault ${stray.name} (${stray.code}) is in no group of scripts/support/faults-page.ts`);
  return [
    '# Faults',
    'A reply carries `rsp_result.code` and `rsp_result.msg` (docs/protocol.md): code 0 is an answer, any other says what went wrong.' +
      " The codes below are co_kimserver's, whose clients know them, and never change. `msg` is the text of the table or a sentence" +
      ' that says more, so programs compare the code. A module answers with one of them by `throw new Fault(name, text)`, and with a' +
      ' code of its own, not one of the table, by returning `{ code, msg }`.',
    ...GROUPS.flatMap((group) => [
      `## ${group.title}`,
      markdownTable(
        ['code', 'name', 'text', 'meaning', 'what to do'],
        rows
          .filter(({ code }) => groupOf(code) === group)
          .map((row) => [`${row.code}`, `\`${row.name}\``, row.text, row.meaning, row.cure]),
      ),
    ]),
    '## Why connections close',
    'The log and the label `reason` of the metrics name one of these; docs/metrics.md says which of them refuse new connections.',
    markdownTable(
      ['reason', 'meaning'],
      Object.entries(closeReasons).map(([reason, meaning]) => [`\`${reason}\``, meaning]),
    ),
    '## Exit codes',
    markdownTable(
      ['code', 'name', 'meaning'],
      Object.entries(exitCodes).map(([name, code]) => [`${code}`, `\`${name}\``, exitMeanings[name as keyof typeof exitCodes]]),
    ),
  ].join('\n\n');
}

function groupOf(code: number): Group | undefined {
  return GROUPS.find(({ from, to }) => code >= from && code <= to);
}
