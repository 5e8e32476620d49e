// Helm of both major versions, and the chart of the project.

import { root } from '../../../scripts/support/project.ts';
import { pathOf, providePrograms } from './programs.ts';
import { attempt, type Ran } from './run.ts';

/** The major versions that the chart works with. */
export const helms = ['helm', 'helm3'] as const;
export type Helm = (typeof helms)[number];

export const CHART = `${root}/charts/kimserver`;
const MAX_MS = 3 * 60_000;

/** Runs it; on a cluster where a kubeconfig is given. */
export async function tryHelm(helm: Helm, args: readonly string[], kubeconfig?: string): Promise<Ran> {
  await providePrograms([helm]);
  // no settings of whoever runs the tests
  const env = { HELM_CONFIG_HOME: '/nonexistent', HELM_CACHE_HOME: '/tmp/kim-helm-cache', ...(kubeconfig && { KUBECONFIG: kubeconfig }) };
  return attempt(pathOf(helm), args, { env, maxMs: MAX_MS });
}

/** Resolves with what it wrote; throws with its complaint. */
export async function runHelm(helm: Helm, args: readonly string[], kubeconfig?: string): Promise<string> {
  const { code, stdout, stderr } = await tryHelm(helm, args, kubeconfig);
  if (code !== 0) throw new Error(`${helm} ${args.join(' ')} ended with ${code}: ${(stderr || stdout).trim()}`);
  return stdout;
}

/** What the chart renders with these arguments more, for a release "kim" in the namespace "kimserver". */
export function template(helm: Helm, args: readonly string[] = []): Promise<string> {
  return runHelm(helm, ['template', 'kim', CHART, '--namespace=kimserver', '--kube-version=1.34.0', ...args]);
}
