// The operator and the definition of KimClusters that it finds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '../../../src/kube/error.ts';
import { CRD_REVISION, REVISION_ANNOTATION } from '../../../src/operator/crd/crd.ts';
import { mustKnowKimClusters } from '../../../src/operator/run/definition.ts';
import { silentLogger } from '../../../src/ops/log.ts';

const answering = (answer: object | KubeError) => ({
  get: <T>(): Promise<T> => (answer instanceof KubeError ? Promise.reject(answer) : Promise.resolve(answer as T)),
});
const revision = (value: number | undefined) => ({
  metadata: { name: 'x', annotations: value === undefined ? {} : { [REVISION_ANNOTATION]: String(value) } },
});
const refused = (status: number, reason: string) => new KubeError(`cannot get it: ${reason}`, { status, reason });

test('a definition of this revision, or a newer one, will do', async () => {
  for (const value of [CRD_REVISION, CRD_REVISION + 1]) await mustKnowKimClusters(answering(revision(value)), silentLogger());
});

test('an older definition, or none, is refused with the command that cures it', async () => {
  for (const value of [undefined, CRD_REVISION - 1]) {
    await assert.rejects(mustKnowKimClusters(answering(revision(value)), silentLogger()), /revision 0, .* kubectl apply --server-side/s);
  }
  await assert.rejects(
    mustKnowKimClusters(answering(refused(404, 'NotFound')), silentLogger()),
    /does not know KimClusters: kubectl apply/,
  );
});

test('who may not read the definition goes on without its revision', async () => {
  await mustKnowKimClusters(answering(refused(403, 'Forbidden')), silentLogger());
  await assert.rejects(mustKnowKimClusters(answering(refused(500, 'InternalError')), silentLogger()), /InternalError/);
});
