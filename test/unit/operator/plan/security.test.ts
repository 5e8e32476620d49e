// What of a user's template weakens pods is named, each as what it is; what the "restricted" level takes is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedVolume, weaknessOf, withSecurity } from '../../../../src/operator/plan/security.ts';

test('each thing that the restricted level refuses of a container has its name', () => {
  const all = { drop: ['ALL'] };
  const cases: [object, string | undefined][] = [
    [{}, undefined],
    [{ runAsUser: 1000, capabilities: { ...all, add: ['NET_BIND_SERVICE'] }, seccompProfile: { type: 'Localhost' } }, undefined],
    [{ privileged: true }, 'privileged'],
    [{ allowPrivilegeEscalation: true }, 'allowPrivilegeEscalation'],
    [{ runAsNonRoot: false }, 'root'],
    [{ runAsUser: 0 }, 'root'],
    [{ capabilities: {} }, 'capabilities that are not dropped'],
    [{ capabilities: { ...all, add: ['SYS_ADMIN'] } }, 'capabilities'],
    [{ seccompProfile: { type: 'Unconfined' } }, 'no seccomp profile'],
  ];
  for (const [securityContext, weakness] of cases) assert.equal(weaknessOf({ securityContext }), weakness, JSON.stringify(securityContext));
  assert.equal(weaknessOf({ ports: [{ containerPort: 80 }] }), undefined);
  assert.equal(weaknessOf({ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }] }), 'a port of its machine');
});

test('a volume of the machine is named, those that pods may have are not', () => {
  assert.equal(refusedVolume({ name: 'a', hostPath: { path: '/' } }), 'hostPath');
  assert.equal(refusedVolume({ name: 'a', nfs: { server: 'x', path: '/' } }), 'nfs');
  for (const kind of ['emptyDir', 'secret', 'configMap', 'projected', 'persistentVolumeClaim', 'csi', 'ephemeral', 'downwardAPI']) {
    assert.equal(refusedVolume({ name: 'a', [kind]: {} }), undefined);
  }
});

test('a container that says nothing about it may do no more than the others', () => {
  const secure = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  assert.deepEqual(withSecurity({ name: 'a' }), { name: 'a', securityContext: secure });
  const own = withSecurity({ name: 'a', securityContext: { runAsUser: 5, allowPrivilegeEscalation: true } });
  assert.deepEqual(own, { name: 'a', securityContext: { ...secure, runAsUser: 5, allowPrivilegeEscalation: true } });
});
