// kim config docs: what every option means, or those that a file sets.

import { masked } from '../../config/print.ts';
import { parseJson } from '../../config/json.ts';
import { optionOf, type OptionKey } from '../../config/options.ts';
import { renderDocs } from '../../config/render.ts';
import { pathText, type Path } from '../../config/path.ts';
import { parseYaml } from '../../config/yaml-text.ts';
import { readConfigurationFile, type ConfigFile } from '../config-file.ts';
import { optionLines, type SetIn } from '../options-text.ts';
import { UsageError } from '../problem.ts';
import { painter } from '../terminal.ts';

interface DocsOptions {
  output: 'text' | 'markdown';
}

export async function runConfigDocs([name]: readonly string[], { output }: DocsOptions): Promise<number> {
  if (output === 'markdown' && name !== undefined) throw new UsageError('-o markdown prints the whole reference; leave out the file');
  const setIn = name === undefined ? undefined : placesOf(readConfigurationFile(name));
  const text = output === 'markdown' ? renderDocs() : `${optionLines(painter(process.stdout.isTTY), setIn).join('\n')}\n`;
  process.stdout.write(text);
  return 0;
}

function placesOf({ text, cluster, nodes }: ConfigFile): SetIn {
  if (cluster === undefined) {
    const json = parseJson(text);
    return (key) => nodes.flatMap(({ config }) => (json.lineOf(key) === undefined ? [] : [`here ${show(key, config[key])}`]));
  }
  const yaml = parseYaml(text);
  return (key) =>
    nodes.flatMap(({ label, config }) => {
      const path = tierPath(label, key);
      return path === undefined || yaml.at(path) === undefined ? [] : [`${pathText(path)} is here ${show(key, config[key])}`];
    });
}

/** `['spec', 'gate', 'listeners', 0, 'port']` for gate_port; undefined for options that a tier does not have. */
function tierPath(tier: string, key: OptionKey): Path | undefined {
  const steps = optionOf(key).path?.split(/\.|(?=\[)/);
  return steps && ['spec', tier, ...steps.map((step) => (step.startsWith('[') ? Number(step.slice(1, -1)) : step))];
}

function show(key: OptionKey, value: unknown): string {
  const { kind } = optionOf(key);
  const human = typeof value === 'number' ? kind.human?.(value) : undefined;
  return human ?? JSON.stringify(masked(key, value));
}
