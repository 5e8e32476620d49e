// Every generated file: where it is, what it is made from, and its text.

import { readFileSync } from 'node:fs';
import { renderDocs, renderJsonSchema } from '../../src/config/render.ts';
import { renderAdminDocs } from '../../src/ops/admin-docs.ts';
import { customResourceDefinition } from '../../src/operator/crd/crd.ts';
import { renderClusterDocs } from '../../src/operator/crd/docs.ts';
import { stringify } from '../../src/config/yaml.ts';
import { renderMetricsDocs } from '../../src/ops/metrics.ts';
import { chartFiles } from './chart/files.ts';
import { rightsTables } from './chart/rights.ts';
import { renderFaults } from './faults-page.ts';
import { renderFeatures } from './operator/features-page.ts';
import { root } from './project.ts';
import { renderTroubleshooting } from './troubleshooting-page.ts';

export interface Generated {
  /** From the project's folder. */
  readonly file: string;
  /** The source that people change instead. */
  readonly source: string;
  readonly text: string;
  /** Only parts of it are generated, between lines that say so. */
  readonly inParts?: true;
}

/** All of them, rendered from the sources as they are now. The first line of each says where it comes from. */
export function generated(): Generated[] {
  const definition = yaml('crds/kimclusters.kimserver.io.yaml', 'src/config and src/operator/crd', customResourceDefinition());
  return [
    page('docs/configuration.md', 'src/config', renderDocs()),
    page('docs/kimcluster.md', 'src/config and src/operator/crd', renderClusterDocs()),
    page('docs/metrics.md', 'src/ops/metrics-table.ts', renderMetricsDocs()),
    page('docs/admin.md', 'src/ops/admin-routes.ts', renderAdminDocs()),
    page('docs/faults.md', 'src/errors.ts, src/ops/reasons.ts and src/node/exit-codes.ts', renderFaults()),
    page('docs/troubleshooting.md', 'src/operator/*-reasons.ts and scripts/support/troubleshooting-page.ts', renderTroubleshooting()),
    parts('docs/operator.md', 'scripts/support/chart/rights.ts and scripts/support/operator/features.ts', {
      rights: rightsTables(),
      features: renderFeatures(),
    }),
    definition,
    ...chartFiles([definition]),
    schema('schemas/node-config.schema.json', 'src/config', renderJsonSchema()),
  ];
}

function page(file: string, source: string, body: string): Generated {
  // The renderers of src/config and src/ops write a first line of their own; there is one wording for all.
  const text = body.replace(/^<!--.*?-->\s*/, '').trimEnd();
  return { file, source, text: `<!-- ${origin(source)} -->\n\n${text}\n` };
}

/** A page that people write, with parts between `<!-- NAME: Generated from ... -->` and `<!-- end of NAME -->`. Throws where one is missing. */
function parts(file: string, source: string, texts: Readonly<Record<string, string>>): Generated {
  let text = readFileSync(`${root}/${file}`, 'utf8');
  for (const [name, part] of Object.entries(texts)) {
    const [start, end] = [`<!-- ${name}: `, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`${file} has no part between "${start}... -->" and "${end}"`);
    text = `${text.slice(0, from)}${start}${origin(source)} -->\n\n${part}\n\n${text.slice(to)}`;
  }
  return { file, source, text, inParts: true };
}

function schema(file: string, source: string, value: object): Generated {
  const [, ...rest] = JSON.stringify(value, null, 2).split('\n');
  return { file, source, text: [`{ "$comment": ${JSON.stringify(origin(source))},`, ...rest, ''].join('\n') };
}

function yaml(file: string, source: string, value: object): Generated {
  return { file, source, text: `# ${origin(source)}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}` };
}

function origin(source: string): string {
  return `Generated from ${source} by "npm run generate". Do not edit.`;
}
