// What tests with two operators share: one lease with short times, and a place where each writes its name.

import type { Controller } from '../../src/operator/engine/controller.ts';
import type { Bed, Garden } from './toy-controller.ts';

/** A process that is stopped is found out within two seconds. */
export function toyLease(namespace: string) {
  return { namespace, name: 'toy', rules: { durationMs: 2000, renewDeadlineMs: 1500, retryMs: 300 } };
}

/** Throws what the engine throws when it must not write. */
export function writeName({ client }: Controller<Garden>, namespace: string, identity: string): Promise<Bed> {
  const metadata = { name: 'writer', namespace, labels: { writer: identity } };
  return client.request<Bed>('PATCH', `/api/v1/namespaces/${namespace}/configmaps/writer`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { by: identity, at: String(performance.now()) } },
    query: { fieldManager: 'names', force: true },
    contentType: 'application/apply-patch+yaml',
  });
}
