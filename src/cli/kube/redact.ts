// What may leave a cluster in a bundle: objects, logs and texts without passwords, tokens and values that are somebody's own. Pure.

import type { KubeMeta, KubeObject } from '../../kube/types.ts';
import { CONTAINER } from '../../operator/plan/pod.ts';

const MASK = '***';
/** Keys whose texts are secrets, wherever they stand. */
const SECRET_KEY = /(pass(word|wd|phrase)?|token|secret|auth|authorization|credentials?|api[-_]?key|private[-_]?key|access[-_]?key)$/i;
/** Annotations that are ours or Kubernetes' own; the texts of all others are their owners' business. */
const KNOWN_ANNOTATION = /^(kimserver\.io\/|deployment\.kubernetes\.io\/revision$|controller\.kubernetes\.io\/|prometheus\.io\/)/;
/** Containers whose commands we wrote. */
const OUR_CONTAINERS = [CONTAINER, 'modules', 'zookeeper', 'operator'];
/** Of containers of others this is shown and no more. */
const OF_STRANGERS = ['name', 'image', 'imageID', 'resources', 'ports', 'ready', 'started', 'restartCount', 'containerID'];
/** Free maps of volumes and of users. */
const OPAQUE = ['volumeAttributes', 'options', 'managedFields'];
/** Shorter ones stand in texts by chance; what is masked though it may be no secret has to be longer. */
const MIN_SECRET = 4;
const MIN_MASKED = 12;

type Map = Readonly<Record<string, unknown>>;

export class Redactor {
  /** Secrets that were met: where else they stand, they are masked too. */
  readonly #met = new Set<string>();

  /** An object as it may be shown. A Secret has no contents then, a ConfigMap of others neither. */
  object(object: KubeObject): Map {
    const { apiVersion, kind, metadata, ...rest } = object as KubeObject & Map;
    const isData = kind === 'ConfigMap' || kind === 'Secret';
    const { data, stringData, binaryData, ...others } = rest;
    const contents = kind === 'ConfigMap' && isOfKimCluster(metadata) ? this.#config(data) : this.#masked(data ?? stringData ?? binaryData);
    return {
      apiVersion,
      kind,
      metadata: this.#walk(metadata, 'metadata'),
      ...(this.#walk(isData ? others : rest, '') as Map),
      ...(isData && { data: contents }),
    };
  }

  /** Lines of a node or of the operator; what modules and others wrote is left out. */
  log(text: string): string {
    let left = 0;
    const lines: string[] = [];
    const flush = () => {
      if (left > 0) lines.push(`(${left} ${left === 1 ? 'line that is' : 'lines that are'} not the node's own: left out)`);
      left = 0;
    };
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const own = ownLine(line);
      if (own === undefined) left++;
      else {
        flush();
        lines.push(own);
      }
    }
    flush();
    return lines.map((line) => `${line}\n`).join('');
  }

  /** The last thing that is done to every text. */
  text(text: string): string {
    let safe = text;
    // one may be a part of another
    for (const secret of [...this.#met].toSorted((a, b) => b.length - a.length)) {
      safe = safe.replaceAll(secret, MASK).replaceAll(JSON.stringify(secret).slice(1, -1), MASK);
      safe = safe.replaceAll(Buffer.from(secret).toString('base64'), MASK);
    }
    return safe
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/g, MASK)
      .replace(/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, MASK)
      .replace(/\b(Bearer|Basic) [\w+/=.~-]{8,}/g, `$1 ${MASK}`)
      .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${MASK}@`);
  }

  #walk(value: unknown, key: string): unknown {
    if (typeof value === 'string') return SECRET_KEY.test(key) ? this.#secret(value) : value;
    if (Array.isArray(value)) {
      if (key === 'env') return value.map((one: Map) => this.#variable(one));
      const isContainers = /^(init|ephemeral)?containers$/i.test(key) || /containerStatuses$/i.test(key);
      return value.map((one) => (isContainers ? this.#container(one as Map) : this.#walk(one, '')));
    }
    if (typeof value !== 'object' || value === null) return value;
    if (OPAQUE.includes(key)) return this.#mask(value);
    if (key === 'annotations') return this.#annotations(value as Map);
    const entries = Object.entries(value).filter(([name]) => name !== 'managedFields');
    return Object.fromEntries(entries.map(([name, inner]) => [name, this.#walk(inner, name)]));
  }

  #annotations(annotations: Map): Map {
    return Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [name, KNOWN_ANNOTATION.test(name) ? value : this.#mask(value)]),
    );
  }

  /** Which variables there are says much; their values are masked, where they come from is not. */
  #variable({ name, value, ...from }: Map): Map {
    if (typeof value === 'string' && SECRET_KEY.test(String(name))) this.#secret(value);
    return { name, ...(value !== undefined && { value: this.#mask(value) }), ...(this.#walk(from, '') as Map) };
  }

  #container(container: Map): unknown {
    if (OUR_CONTAINERS.includes(String(container['name']))) return this.#walk(container, '');
    const shown = Object.entries(container).filter(([key]) => OF_STRANGERS.includes(key));
    const { command, args, env = [] } = container;
    this.#mask([command, args, (env as readonly Map[]).map(({ value }) => value)]);
    return { ...(this.#walk(Object.fromEntries(shown), '') as Map), rest: MASK };
  }

  /** Options of nodes, as a file or as variables. */
  #config(data: unknown): unknown {
    if (typeof data !== 'object' || data === null) return data;
    return Object.fromEntries(Object.entries(data as Map).map(([key, text]) => [key, this.#options(key, String(text))]));
  }

  #options(key: string, text: string): string {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return JSON.stringify(this.#walk(value, key));
    } catch {
      // a plain text
    }
    return SECRET_KEY.test(key) ? this.#secret(text) : text;
  }

  #masked(data: unknown): unknown {
    return typeof data === 'object' && data !== null
      ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, this.#mask(value)]))
      : undefined;
  }

  /** Texts that are masked here are masked in messages about them, too. */
  #mask(value: unknown): string {
    if (typeof value === 'string' && value.length >= MIN_MASKED) this.#met.add(value);
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) this.#mask(inner);
    return MASK;
  }

  #secret(value: string): string {
    // user:password
    for (const one of [value, value.slice(value.indexOf(':') + 1)]) if (one.length >= MIN_SECRET) this.#met.add(one);
    return value === '' ? '' : MASK;
  }
}

function isOfKimCluster({ ownerReferences = [] }: KubeMeta): boolean {
  return ownerReferences.some(({ kind, controller }) => kind === 'KimCluster' && controller === true);
}

/** Undefined for what the node did not write itself. */
function ownLine(line: string): string | undefined {
  if (!line.startsWith('{')) return /^((kim|warning|kubectl kim): |\s+at )/.test(line) ? line : undefined;
  try {
    const { level, time, name, module, msg } = JSON.parse(line) as Map;
    if (level === undefined || time === undefined || name === undefined || msg === undefined) return undefined;
    if (module !== undefined) return JSON.stringify({ level, time, name, module, msg: '(of a module: left out)' });
    return line;
  } catch {
    return undefined;
  }
}
