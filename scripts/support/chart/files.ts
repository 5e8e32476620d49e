// The generated files of charts/kimserver: values, their schema, the README, rights, alerts, the dashboard, and the definition of KimCluster.

import type { Generated } from '../generated.ts';
import { alerts } from './alerts.ts';
import { dashboardPicture } from './dashboard-picture.ts';
import { dashboard } from './dashboard.ts';
import { renderReadme } from './readme.ts';
import { renderValues, valuesSchema } from './render.ts';
import { rulesTemplate } from './rights.ts';
import { chartValues } from './values.ts';

const CHART = 'charts/kimserver';
const HERE = 'scripts/support/chart';

/** As the text of crds/*.yaml is given, so is it in the chart: they can not differ. */
export function chartFiles(definitions: readonly Generated[]): Generated[] {
  return [
    file('values.yaml', `${HERE}/values.ts`, (origin) => `# ${origin}\n\n${renderValues(chartValues)}`),
    file('values.schema.json', `${HERE}/values.ts`, (origin) => json(origin, valuesSchema(chartValues))),
    file('README.md', HERE, (origin) => `<!-- ${origin} -->\n\n${renderReadme(chartValues)}\n`),
    file('files/alerts.json', `${HERE}/alerts.ts`, (origin) => json(origin, { rules: alerts })),
    file('files/dashboard.json', `${HERE}/dashboard.ts`, (origin) => json(origin, dashboard())),
    file('templates/_rules.tpl', `${HERE}/rights.ts`, (origin) => `{{- /* ${origin} */ -}}\n${rulesTemplate()}`),
    picture('docs/images/dashboard.svg', `${HERE}/dashboard.ts`, dashboardPicture()),
    ...definitions.map((one) => file(`templates/${one.file}`, one.file, (origin) => template(origin, one.text))),
  ];
}

function file(name: string, source: string, render: (origin: string) => string): Generated {
  return { file: `${CHART}/${name}`, source, text: render(`Generated from ${source} by "npm run generate". Do not edit.`) };
}

function picture(place: string, source: string, svg: string): Generated {
  return { file: place, source, text: `<!-- Generated from ${source} by "npm run generate". Do not edit. -->\n${svg}` };
}

function json(origin: string, value: object): string {
  const [, ...rest] = JSON.stringify(value, null, 2).split('\n');
  return [`{ "$comment": ${JSON.stringify(origin)},`, ...rest, ''].join('\n');
}

const MARKS = `  labels:
    {{- include "kimserver.labels" . | nindent 4 }}
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    {{- with .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
`;

/** The definition as a template: marks of the release come beside those that it has. */
function template(origin: string, text: string): string {
  const plain = text.replace(/^#.*\n/, '').replaceAll('{{', '{{ "{{" }}');
  const at = '  annotations:\n';
  if (!plain.includes(at)) throw new Error('the definition of KimCluster has no annotations beside its name');
  return `{{- /* ${origin} */ -}}\n{{- if .Values.crds.install }}\n${plain.replace(at, () => MARKS)}{{- end }}\n`;
}
