// Every generated file: where it is, what it is made from, and its text.

import { renderDocs, renderJsonSchema } from '../../src/config/render.ts';
import { renderAdminDocs } from '../../src/ops/admin-docs.ts';
import { customResourceDefinition } from '../../src/operator/crd/crd.ts';
import { renderClusterDocs } from '../../src/operator/crd/docs.ts';
import { stringify } from '../../src/config/yaml.ts';
import { renderMetricsDocs } from '../../src/ops/metrics.ts';
import { chartFiles } from './chart/files.ts';
import { renderFaults } from './faults-page.ts';

export interface Generated {
  /** From the project's folder. */
  readonly file: string;
  /** The source that people change instead. */
  readonly source: string;
  readonly text: string;
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
