// As much of Kubernetes' objects as every kind has, and where each kind is found.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Who set which fields of an object. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

export interface KubeMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFields[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMeta;
}

export interface KubeList<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/** What a watch says. Errors are thrown instead; of a bookmark only the resourceVersion counts. */
export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

export interface Kind {
  /** "v1", "apps/v1". */
  readonly apiVersion: string;
  readonly kind: string;
  /** As in paths: "deployments". */
  readonly plural: string;
  /** Of the whole cluster, such as Namespaces. */
  readonly clusterWide?: true;
}

export interface Place {
  /** Left out: all of them. */
  readonly namespace?: string | undefined;
  readonly name?: string;
  /** status, scale ... */
  readonly part?: string;
}

/** Where objects of a kind are found: /apis/apps/v1/namespaces/shop/deployments/gate/status. */
export function pathOf({ apiVersion, plural, clusterWide }: Kind, { namespace, name, part }: Place = {}): string {
  const space = namespace === undefined || clusterWide ? [] : ['namespaces', namespace];
  const steps = [...space, plural, name, part].filter((step) => step !== undefined).map(encodeURIComponent);
  return [apiVersion.includes('/') ? '/apis' : '/api', apiVersion, ...steps].join('/');
}

/** "namespace/name", or "/name" for what is of the whole cluster: the same everywhere we keep objects. */
export function keyOf({ metadata }: { readonly metadata: KubeMeta }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** The two parts of a key. */
export function placeOf(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash) || undefined, name: key.slice(slash + 1) };
}

/** "v1/Pod" tells kinds of one name apart: there are Ingresses and Events in two groups each. */
export function kindName({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${apiVersion}/${kind}`;
}

/** The one owner that an object obeys, if any. */
export function controllerOf({ metadata }: { readonly metadata: KubeMeta }): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Leases and events want exactly six digits after the point; with three the API server answers 400. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

/**
 * Whether a resourceVersion comes before another of the same kind of objects. Versions are numbers that only grow (Kubernetes promises it
 * since 1.35 and has always done so); where one is not a number, nothing is older.
 */
export function isOlder(version: string | undefined, than: string | undefined): boolean {
  if (!isNumber(version) || !isNumber(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}

function isNumber(version: string | undefined): version is string {
  return version !== undefined && /^[1-9]\d{0,30}$/.test(version);
}
