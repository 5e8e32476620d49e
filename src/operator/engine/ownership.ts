// Who set which fields of an object: what we keep of it, and what the server says when two managers want the same field.

import type { KubeCause } from '../../kube/error.ts';
import type { KubeObject, ManagedFields } from '../../kube/types.ts';
import { digest } from './compare.ts';

/** Another manager set a field that we want to set. */
export interface FieldConflict {
  readonly manager: string;
  /** ".spec.replicas" */
  readonly field: string;
}

/**
 * What a copy keeps of an object: all of it, but of the managed fields, which can be larger than the rest, only who they are and one
 * digest of those that `manager` applied. When somebody changes or removes one of our fields, that digest changes.
 */
export function keepOwnership<T extends KubeObject>(object: T, manager: string): T {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return object;
  const kept = managedFields.map(({ fieldsV1, ...entry }) =>
    isOurs(entry, manager) ? { ...entry, fieldsV1: { digest: digest(fieldsV1) } } : entry,
  );
  return { ...object, metadata: { ...metadata, managedFields: kept } };
}

/** The digest of the fields that `manager` applied; undefined when it owns none. */
export function ownDigest({ metadata }: KubeObject, manager: string): string | undefined {
  const fields = metadata.managedFields?.find((entry) => isOurs(entry, manager))?.fieldsV1?.['digest'];
  return typeof fields === 'string' ? fields : undefined;
}

/** Whoever else changed the object last. */
export function lastOther({ metadata }: KubeObject, manager: string): string | undefined {
  const others = (metadata.managedFields ?? []).filter((entry) => entry.manager !== manager && entry.subresource === undefined);
  return others.sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager;
}

/** From the causes of a refusal: conflict with "kubectl-edit" using apps/v1. */
export function conflictsOf(causes: readonly KubeCause[]): FieldConflict[] {
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message = '', field = '' }) => ({ manager: /"([^"]*)"/.exec(message)?.[1] ?? 'unknown', field }));
}

function isOurs({ manager, operation, subresource }: ManagedFields, ours: string): boolean {
  return manager === ours && operation === 'Apply' && subresource === undefined;
}
